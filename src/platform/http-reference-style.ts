/** How the reference looks: one column of text beside one of links, light or dark as the reader prefers. */

export const STYLESHEET = `:root {
  color-scheme: light dark;
  --ground: light-dark(#ffffff, #14171c);
  --raised: light-dark(#f4f6f8, #1c2129);
  --line: light-dark(#d5dbe2, #343c48);
  --text: light-dark(#1a212b, #e6eaf0);
  --quiet: light-dark(#566170, #a3adbb);
  --link: light-dark(#0b5cad, #7db7f5);
  --good: light-dark(#17663a, #74d19b);
  --bad: light-dark(#a12622, #f29b96);
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif;
  display: grid; grid-template-columns: minmax(0, 1fr);
}
a { color: var(--link); text-underline-offset: .15em }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px }
.skip { position: absolute; left: -100rem }
.skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem; z-index: 1 }
nav { padding: 1.5rem; background: var(--raised); border-bottom: 1px solid var(--line); font-size: .9rem }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0 }
nav li { margin: .15rem 0 }
nav a { text-decoration: none; display: block; padding: .15rem 0 }
nav a:hover { text-decoration: underline }
.brand { margin: 0 0 1rem; font-size: 1.1rem; font-weight: 650 }
.group { display: block; margin-top: .75rem; color: var(--quiet); font-weight: 600 }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem) 6rem; max-width: 64rem; min-width: 0 }
main.narrow { max-width: 46rem; margin: 0 auto; width: 100% }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem }
h2 { margin: 3rem 0 1rem; padding-bottom: .4rem; border-bottom: 1px solid var(--line) }
main.narrow h2 { margin-top: 2rem }
h3 { margin: 0 0 .5rem; font-size: 1.2rem }
h4 { margin: 1.25rem 0 .5rem; font-size: .95rem }
small, .facts { color: var(--quiet); font-weight: 400 }
.lead { font-size: 1.1rem; max-width: 46rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; overflow: auto }
article { padding: 1.5rem 0; border-bottom: 1px solid var(--line) }
article:target h3 { color: var(--link) }
.place { margin: 0 0 .75rem }
.method { font: 700 .8rem ui-monospace, monospace; border: 1px solid currentColor; border-radius: 4px; padding: .1rem .4rem }
.method.get { color: var(--good) }
.method.post, .method.put, .method.patch { color: var(--link) }
.method.delete { color: var(--bad) }
table { border-collapse: collapse; width: 100%; font-size: .92rem; display: block; overflow-x: auto }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line) }
thead th { border-top: 0; color: var(--quiet); font-weight: 600 }
tbody th { font-weight: 400; white-space: nowrap }
.required { color: var(--bad); font-size: .8rem }
.answers > div { display: grid; grid-template-columns: 4rem minmax(0, 1fr); padding: .35rem 0 }
.answers dd { margin: 0 }
.status { font-weight: 650; font-variant-numeric: tabular-nums }
.s2 { color: var(--good) }
.s4, .s5 { color: var(--bad) }
summary { cursor: pointer; color: var(--link) }
@media (min-width: 60rem) {
  body:has(nav) { grid-template-columns: 18rem minmax(0, 1fr) }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-bottom: 0; border-right: 1px solid var(--line) }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth } }
@media print { nav, .skip { display: none } }
`
