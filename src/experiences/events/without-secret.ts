/** Answers that hold a secret: it is given once, and what is kept for repetitions lacks it. */

/** For `oncePerKey`. */
export const withoutSecret = <Body extends { readonly secret: string }>({ secret: _, ...body }: Body) => body
