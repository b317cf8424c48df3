/** A piece of HTML, as against text that is yet to be escaped. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

/** HTML from a template; strings and numbers put into it are escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.reduce(
      (text, piece, i) => text + piece + (i < parts.length ? rendered(parts[i] as Part) : ''),
      '',
    ),
  );
}

/** A value as JSON that may stand in a script element. */
export function scriptJson(value: unknown): Html {
  return new Html(JSON.stringify(value).replace(/</g, '\\u003c'));
}

/** A data URI of a PNG file. */
export function pngUri(png: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < png.length; at += 8192) binary += String.fromCharCode(...png.subarray(at, at + 8192));
  return `data:image/png;base64,${btoa(binary)}`;
}

function rendered(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map((each) => each.text).join('');
  return String(part).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
