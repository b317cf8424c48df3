/**
 * A bitmap font of 5 x 7 pixels, and two rows more below the line where a letter goes down, for captions in pictures.
 * A glyph is seven to nine base-32 digits, a row each from the top; the highest of a digit's five bits is the leftmost pixel.
 */

export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 9;
/** From one glyph to the next. */
export const ADVANCE = 6;

const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '0000000',
  '0': 'ehjlphe',
  '1': '4c4444e',
  '2': 'eh168gv',
  '3': 'eh161he',
  '4': '26aiv22',
  '5': 'vgu11he',
  '6': '68guhhe',
  '7': 'v124888',
  '8': 'ehhehhe',
  '9': 'ehhf12c',
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhe',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hhha444',
  Z: 'v1248gv',
  a: '00e1fhf',
  b: 'ggmphhu',
  c: '00egghe',
  d: '11djhhf',
  e: '00ehvge',
  f: '698s888',
  g: '00fhhhf1e',
  h: 'ggmphhh',
  i: '40c444e',
  j: '2062222ic',
  k: 'ggikoki',
  l: 'c44444e',
  m: '00qllhh',
  n: '00mphhh',
  o: '00ehhhe',
  p: '00uhhhugg',
  q: '00fhhhf11',
  r: '00mpggg',
  s: '00ege1u',
  t: '88s8896',
  u: '00hhhjd',
  v: '00hhha4',
  w: '00hhlla',
  x: '00ha4ah',
  y: '00hhhhf1e',
  z: '00v248v',
  '.': '00000cc',
  ',': '00000cc48',
  ':': '0cc0cc0',
  ';': '0cc00cc48',
  '-': '000e000',
  '—': '000v000',
  _: '0000000v',
  '/': '01248g0',
  '|': '4444444',
  '%': 'op248j3',
  '+': '044v440',
  '±': '44v440v',
  '=': '00v0v00',
  '<': '248g842',
  '>': '8421248',
  '(': '2488842',
  ')': '8422248',
  '#': 'aavavaa',
  "'": 'c480000',
  '°': 'ciic000',
  '×': '0ha4ah0',
  '?': 'eh12404',
};

/** Width of a text in pixels at scale 1. */
export function textWidth(text: string): number {
  return Math.max(0, [...text].length * ADVANCE - (ADVANCE - GLYPH_WIDTH));
}

/** Calls `dot` for every pixel of `text` that is set, the first glyph's upper left corner being (0, 0). Unknown characters are drawn as "?". */
export function drawText(text: string, dot: (x: number, y: number) => void): void {
  [...text].forEach((character, index) => {
    const rows = GLYPHS[character] ?? (GLYPHS['?'] as string);
    for (let y = 0; y < rows.length; y++) {
      const bits = Number.parseInt(rows[y] as string, 32);
      for (let x = 0; x < GLYPH_WIDTH; x++) {
        if (bits & (16 >> x)) dot(index * ADVANCE + x, y);
      }
    }
  });
}
