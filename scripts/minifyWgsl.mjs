// Makes WGSL small for a bundle that ships: no comments, no spaces that lexing does not need, short names for what is
// local to a function. Names at module scope, members and attributes stay: constants and pieces are joined by them.

const OPERATOR = String.raw`<<=|>>=|->|&&|\|\||<<|>>|\+\+|--|[-+*\/%&|^<>=!]=|[-+*\/%&|^~!<>=.,:;@(){}[\]]`;
const NUMBER = String.raw`0[xX][\da-fA-F.]+(?:[pP][+-]?\d+)?[iufh]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iufh]?`;
const WORD = String.raw`[\p{XID_Start}_]\p{XID_Continue}*`;
const SPACE = String.raw`\s+|\/\/[^\n]*`;
const TOKEN = new RegExp(
  String.raw`(?<space>${SPACE})|(?<comment>\/\*)|(?<word>${WORD})|(?<number>${NUMBER})|(?<operator>${OPERATOR})`,
  'uy',
);
const LONGEST_OPERATOR = new RegExp(String.raw`^(?:\/\/|\/\*|${OPERATOR})`, 'u');

/** @typedef {{ kind: 'word' | 'number' | 'operator', text: string }} Token */

/** @returns {Token[]} */
function tokens(code) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < code.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(code);
    if (!match) throw new Error(`Not WGSL at ${JSON.stringify(code.slice(at, at + 20))}.`);
    const [kind, text] = Object.entries(match.groups).find(([, part]) => part !== undefined);
    if (kind === 'comment') TOKEN.lastIndex = commentEnd(code, at);
    else if (kind !== 'space') found.push({ kind, text });
  }
  return found;
}

/** Block comments nest. */
function commentEnd(code, start) {
  let depth = 0;
  for (let at = start; at < code.length; at++) {
    const two = code.slice(at, at + 2);
    if (two === '/*') depth++;
    else if (two === '*/') depth--;
    else continue;
    at++;
    if (depth === 0) return at + 1;
  }
  throw new Error('A comment does not end.');
}

/** Whether two tokens without a space between them would be read as others. */
function needsSpace(before, after) {
  if (before.kind !== 'operator') return after.kind !== 'operator';
  if (after.kind !== 'operator') return false;
  // Also where WGSL's template lists would save it (`array<f32, 4> = ...`): not every reader is that careful.
  return LONGEST_OPERATOR.exec(before.text + after.text)[0].length > before.text.length;
}

/** Words that no name may be, among those as short as ours are. */
const RESERVED = new Set(['as', 'do', 'fn', 'if', 'of']);
const FIRST = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function* shortNames() {
  yield* FIRST;
  for (const a of FIRST) for (const b of FIRST) yield a + b;
}

/** Gives the locals of the function that begins at `from` short names; returns where it ends. */
function renameLocals(list, from) {
  const is = (i, text) => list[i]?.text === text;
  /** Names in scope, innermost last; a `for` has one for its header around the one of its body. */
  const scopes = [new Set()];
  /** Where each local's name stands. */
  const places = new Map();
  /** Names from outside the function. */
  const free = new Set();
  /** Declared by the statement being read; in scope behind it. */
  let pending = null;
  /** Depths at which a `for` waits for the end of its body. */
  const loops = [];
  let depth = 0;

  const declare = (i) => {
    const name = list[i].text;
    places.set(name, [...(places.get(name) ?? []), i]);
    return name;
  };

  // fn name ( parameters ) -> result {
  free.add(list[from + 1].text);
  let at = from + 2;
  for (; !is(at, '{'); at++) {
    if (list[at].kind !== 'word') continue;
    if (is(at + 1, ':')) scopes[0].add(declare(at));
    else free.add(list[at].text);
  }
  for (; at < list.length; at++) {
    const { kind, text } = list[at];
    if (text === '{') {
      scopes.push(new Set());
      depth++;
    } else if (text === '}') {
      scopes.pop();
      depth--;
      if (loops.at(-1) === depth) {
        loops.pop();
        scopes.pop();
      }
      if (depth === 0) break;
    } else if (text === ';' && pending !== null) {
      scopes.at(-1).add(pending);
      pending = null;
    } else if (kind === 'word') {
      if (text === 'for') {
        scopes.push(new Set());
        loops.push(depth);
      } else if (text === 'let' || text === 'var' || text === 'const') {
        // var<function> name
        if (is(at + 1, '<')) while (!is(at, '>')) at++;
        at++;
        pending = declare(at);
      } else if (!is(at - 1, '.') && !is(at - 1, '@')) {
        if (scopes.some((scope) => scope.has(text))) places.get(text).push(at);
        else free.add(text);
      }
    }
  }

  // In the order of the text, so that kernels alike stay alike, which gzip likes better than the most used first (by
  // 0.1 to 0.3 KB). One name for all locals of one name keeps shadowing as it was.
  const names = shortNames();
  for (const at of places.values()) {
    let name;
    do name = names.next().value;
    while (free.has(name) || RESERVED.has(name));
    for (const i of at) list[i] = { kind: 'word', text: name };
  }
  return at;
}

/**
 * WGSL that computes the same. Each declaration has a line: directives must begin one, and a compiler's message then says
 * where it is.
 */
export function minifyWgsl(code) {
  const list = tokens(code);
  for (let i = 0; i < list.length; i++) if (list[i].text === 'fn') i = renameLocals(list, i);
  let text = '';
  let depth = 0;
  list.forEach((token, i) => {
    const next = list[i + 1];
    if (token.text === ',' && next && /^[)\]}]$/.test(next.text)) return;
    text += token.text;
    if (token.text === '{') depth++;
    else if (token.text === '}') depth--;
    if (next && depth === 0 && /^[;}]$/.test(token.text)) text += '\n';
    else if (next && needsSpace(token, next)) text += ' ';
  });
  return text;
}
