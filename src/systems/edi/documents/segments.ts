/** The segments of version 004010 that we read or write: their elements, what is mandatory, what depends on what. */

export type ElementUse = {
  /** Reference number in the dictionary, or of a composite (C001). */
  readonly number: string
  readonly mandatory: boolean
  readonly components?: readonly ElementUse[]
}

/** X12 syntax notes. P: all or none. R: at least one. E: at most one. C: if the first, then all. L: if the first, then one. */
export type SyntaxNote = { readonly kind: 'P' | 'R' | 'E' | 'C' | 'L'; readonly elements: readonly number[] }

export type SegmentDefinition = {
  readonly elements: readonly ElementUse[]
  readonly notes: readonly SyntaxNote[]
}

const COMPOSITES: Readonly<Record<string, string>> = {
  C001: '355! 1018 649',
  C030: '722! 1528',
  C040: '128! 127! 128 127 128 127',
}

const repeat = (text: string, times: number): string => Array.from({ length: times }, () => text).join(' ')
const pairNotes = (first: number, pairs: number): string =>
  Array.from({ length: pairs }, (_, pair) => note('P', first + 2 * pair, first + 2 * pair + 1)).join(' ')
const note = (kind: string, ...elements: number[]): string =>
  kind + elements.map((element) => String(element).padStart(2, '0')).join('')

/** Elements in order, an exclamation mark where mandatory; behind the bar the syntax notes as the standard writes them. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  ACK: `668! 380 355 374 373 326 ${repeat('235 234', 10)} 559 822 1271 | P0203 C0405 ${pairNotes(7, 10)}`,
  AK1: '479! 28!',
  AK2: '143! 329!',
  AK3: '721! 719! 447 720',
  AK4: 'C030! 725 723! 724',
  AK5: '717! 718 718 718 718 718',
  AK9: '715! 97! 123! 2! 716 716 716 716 716',
  AMT: '522! 782! 478',
  BAK: '353! 587! 324! 373! 328 326 367 127 373 640',
  BEG: '353! 92! 324! 328 373! 367 587 1019 1166 1232 786 640',
  BIA: '353! 755! 127! 373! 337 306',
  BIG: '373! 76! 373 324 328 327 640 353 306 76',
  BSN: '353! 396! 373! 337! 1005 640 641 | C0706',
  CAD: '91 206 207 140 387 368 128 127 284 | R0504 C0708',
  CSH: '563 306 610 508 373 559 560 566 954 | P0607',
  CTP: '687 236 212 380 C001 648 649 782 639 499 289 | P0405 C0607 C0902 C1002 C1103',
  CTT: '354! 347 81 355 183 355 352 | P0304 P0506',
  CUR: `98! 100! 280 98 100 669 ${repeat('374 373 337', 5)} | C0807 C0907 L070809`,
  DTM: '374! 373 337 623 1250 1251 | R020305 C0403 P0506',
  FOB: '146! 309 352 334 335 309 352 54 352 | C0302 C0405 C0706 C0809',
  G62: '432 373 176 337 623 | R0103 P0102 P0304',
  G69: '369!',
  HL: '628! 734 735! 736',
  ISS: '382 355 81 355 183 355 380 | P0102 P0304 P0506',
  IT1: `350 358 355 212 639 ${repeat('235 234', 10)} | P020304 ${pairNotes(6, 10)}`,
  ITD: '336 333 338 370 351 446 386 362 388 389 342 352 765 107 954 | L03040513 L08040513 L091011',
  LIN: `350 ${repeat('235 234', 15).replace('235 234', '235! 234!')} | ${pairNotes(4, 14)}`,
  LX: '554!',
  MAN: '88! 87! 87 88 87 87 | P0405 C0605',
  MEA: '737 738 739 C001 740 741 935 936 752 1373 | R03050608 C0504 C0604 E0803',
  MSG: '933! 934 1470 | C0302',
  N1: '98! 93 66 67 706 98 | R0203 P0304',
  N2: '93! 93',
  N3: '166! 166',
  N4: '19 156 116 26 309 310 | C0605',
  N9: '128! 127 369 373 337 623 C040 | R0203 C0605',
  NTE: '363 352!',
  PER: '366! 93 365 364 365 364 365 364 443 | P0304 P0506 P0708',
  PID: '349! 750 559 751 352 752 822 1073 819 | C0403 R0405 C0703 C0804 C0905',
  PKG: '349 753 559 754 352 400 | C0403 R040506 C0504',
  PO1: `350 330 355 212 639 ${repeat('235 234', 10)} | C0302 C0504 ${pairNotes(6, 10)}`,
  PO4: '356 357 355 103 187 384 355 385 355 82 189 65 355 810 752 350 350 | P0203 C0506 P0607 P0809 L13101112',
  PRF: '324! 328 327 373 350 367 92',
  QTY: '673! 380 C001',
  REF: '128! 127 352 C040 | R0203',
  SAC: '248! 1300 559 1301 610 378 332 118 355 380 380 331 127 770 352 819 | R0203 P0304 P0607 P0910 C1110 L130204 C1413 C1615',
  SCH: '380! 355! 98 93 374! 373! 337 374 373 337 326 350 | C0302 C0903 C1008',
  SDQ: `355! 66 67! 380! ${repeat('67 380', 9)} | ${pairNotes(5, 9)}`,
  SE: '96! 329!',
  SN1: '350 382! 355! 646 330 355 728 668 | P0506',
  ST: '143! 329!',
  TC2: '23! 22!',
  TD1: '103 80 23 22 79 187 81 355 183 355 | C0102 C0304 C0607 P0708 P0910',
  TD3: '40 206 207 187 81 355 102 225 24 | C0203 C0405 P0506',
  TD5: '133 66 67 91 387 368 309 310 731 732 733 284 284 284 26 | R020405061012 C0203 C0708 C1011 C1312 C1413 C1512',
  TDS: '610! 610 610 610',
  TXI: '963! 782 954 955 956 441 662 828 325 350 | R020306 P0405 C0803',
  W01: '330! 355! 438 235 234 235 234 59 121 23 22 416 451 286 235 234 | R0304 P0405 P0607 P1011 P1516',
  W03: '382! 81 355 183 355 382 355 | P0203 P0405',
  W05: '473! 285! 324 472 474 640 306 | P0405',
  W06: '514! 285 373 145 531 324 474 472 501 306 | C0807',
  W07: '413! 355! 438 235 234 451 235 234 | R0304 P0405 P0708',
  W12: '368! 330 382 383 355 438 235 234 451 81 187 188 81 187 188 438 235 234 371 127 235 234 | P0708 P101112 P131415 P1718 P2122',
  W13: '380! 355! 412! 127',
  W15: '373! 393 393',
  W17: '514! 373! 394! 285 145 176 337 474 472 | P0607 C0908',
  W19: '894! 380! 355! 438 235 234 451 81 187 188 81 187 188 438 235 234 127 127 127 | P0506 P080910 P111213 P1516',
  W27: '91! 140 387 146 40 206 207 146 | C0706',
  W66: '146! 91! 399 400 387 433 434 625 610 140 | P0809',
  W76: '330! 81 355 183 355 398 | P0203 P0405',
}

/** Segments that a document may carry and that we pass over: their elements are not looked into. */
const PASSED_OVER =
  'ADV BAL CB1 CN1 CRC CTB DIS DMG EFI ETD FA1 FA2 G53 GF INC IT3 IT8 L7 LDT LE LM LQ LS MTX N5 NM1 NX2 PAL PAM PCT ' +
  'PO3 PWK SI SLN SPI SR TAX TD4 TSD UIT V1 W08 W10 W14 W20 W28 YNQ'

function parseUse(text: string): ElementUse {
  const mandatory = text.endsWith('!')
  const number = mandatory ? text.slice(0, -1) : text
  const composite = COMPOSITES[number]
  return composite
    ? { number, mandatory, components: composite.split(' ').map(parseUse) }
    : { number, mandatory }
}

function parseNote(text: string): SyntaxNote {
  const elements = (text.slice(1).match(/\d\d/g) ?? []).map(Number)
  return { kind: text.charAt(0) as SyntaxNote['kind'], elements }
}

function parseDefinition(text: string): SegmentDefinition {
  const [elements = '', notes = ''] = text.split('|')
  return {
    elements: elements.trim().split(/\s+/).map(parseUse),
    notes: notes.trim() === '' ? [] : notes.trim().split(/\s+/).map(parseNote),
  }
}

export const SEGMENTS: ReadonlyMap<string, SegmentDefinition> = new Map(
  Object.entries(DEFINITIONS).map(([id, text]) => [id, parseDefinition(text)]),
)

export const KNOWN_SEGMENTS: ReadonlySet<string> = new Set([...SEGMENTS.keys(), ...PASSED_OVER.split(' ')])
