// Makes WGSL small for a bundle that ships: no comments, no spaces that lexing does not need, short names for what is
// local to a function. Files are joined by names at module scope and by members, so those are short only where all files
// are known (moduleNames); constants that TypeScript gives by name, and attributes, stay.

const OPERATOR = String.raw`<<=|>>=|->|&&|\|\||<<|>>|\+\+|--|[-+*\/%&|^<>=!]=|[-+*\/%&|^~!<>=.,:;@(){}[\]]`;
const NUMBER = String.raw`0[xX][\da-fA-F.]+(?:[pP][+-]?\d+)?[iufh]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iufh]?`;
const WORD = String.raw`[\p{XID_Start}_]\p{XID_Continue}*`;
const SPACE = String.raw`\s+|\/\/[^\n]*`;
const TOKEN = new RegExp(
  String.raw`(?<space>${SPACE})|(?<comment>\/\*)|(?<word>${WORD})|(?<number>${NUMBER})|(?<operator>${OPERATOR})`,
  'uy',
);
const LONGEST_OPERATOR = new RegExp(String.raw`^(?:\/\/|\/\*|${OPERATOR})`, 'u');

/** @typedef {{ kind: 'word' | 'number' | 'operator', text: string, local?: boolean }} Token */

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

const DECLARES = new Set(['alias', 'const', 'fn', 'override', 'struct', 'var']);
/** Where a declaration's name stands that begins at `i`: `var<storage, read> name`. */
function nameAfter(list, i) {
  let at = i + 1;
  if (list[at].text === '<') while (list[at - 1].text !== '>') at++;
  return at;
}

/** Names that a file declares at module scope, and those of its structures' members. */
function declared(list) {
  const names = new Set();
  const members = new Set();
  let depth = 0;
  let inStruct = false;
  list.forEach(({ kind, text }, i) => {
    if (/^[({[]$/.test(text)) depth++;
    else if (/^[)}\]]$/.test(text)) depth--;
    else if (kind !== 'word') return;
    else if (depth === 0 && DECLARES.has(text)) {
      names.add(list[nameAfter(list, i)].text);
      inStruct = text === 'struct';
    } else if (depth === 1 && inStruct && list[i + 1]?.text === ':') members.add(text);
  });
  return { names, members };
}

/** What TypeScript may give a kernel before its text. */
const GIVEN = /^[A-Z][A-Z\d_]*$/;
/** Members of vectors. */
const SWIZZLE = /^(?:[xyzw]{1,4}|[rgba]{1,4})$/;

/**
 * Short names for constants that TypeScript gives: those that it writes as keys in full, and of those it puts together
 * (`prefixed(name, { OFFSET: ... })`) the endings. What it says in quotes stays.
 */
function constantNames(given, launches) {
  const all = (pattern) => new Set(launches.flatMap((code) => code.match(pattern) ?? []));
  const keys = all(/(?<![\w'"`])[A-Z][A-Z\d_]{2,}(?=[:,])/g);
  const quoted = all(/(?<=['"])[A-Z][A-Z\d_]*(?=['"])/g);
  const endings = [...all(/(?<=prefixed\(\w+, \{[^}]*)[A-Z][A-Z\d_]{2,}(?=:)/g)];
  const short = digitNames(given);
  const names = new Map(endings.map((ending) => [ending, short.next().value]));
  for (const name of given) {
    const ending = endings.find((one) => name.endsWith(`_${one}`));
    if (quoted.has(name)) continue;
    if (ending) names.set(name, name.slice(0, -ending.length) + names.get(ending));
    else if (keys.has(name)) names.set(name, short.next().value);
  }
  return names;
}

/** `a0`, which no other name here is like but some of those given. */
function* digitNames(given) {
  for (const a of FIRST.slice(0, 26))
    for (let digit = 0; digit < 10; digit++) if (!given.has(`${a}${digit}`)) yield `${a}${digit}`;
}

/**
 * Short names for members, and for what pieces declare or kernels take from pieces; the same in all files, since any piece
 * may stand before any kernel. `codes` must be all there are: a name like a constant's stays where some file has it from outside.
 * `launches`: the TypeScript that gives constants.
 * @param {readonly string[]} codes @param {readonly string[]} launches
 */
export function moduleNames(codes, launches = []) {
  const all = new Set();
  /** Of pieces: what they declare, and what they have from other files. */
  const words = new Set();
  const members = new Set();
  const given = new Set(['main']);
  /** In how many files each word is. */
  const uses = new Map();
  const untyped = new Set();
  for (const code of codes) {
    const list = tokens(code);
    for (const word of new Set(list.map(({ text }) => text))) uses.set(word, (uses.get(word) ?? 0) + 1);
    list.forEach(({ text }, i) => {
      if (text === 'const' && list[i + 2]?.text === '=') untyped.add(list[i + 1].text);
    });
    const own = declared(list);
    for (const name of own.members) members.add(name);
    if (!own.names.has('main')) for (const { kind, text } of list) if (kind === 'word') words.add(text);
    for (const name of own.names) all.add(name);
    for (const { kind, text } of list)
      if (kind === 'word' && GIVEN.test(text) && !own.names.has(text)) given.add(text);
  }
  const short = (long, candidates) => new Map([...long].map((name) => [name, candidates.next().value]));
  return {
    given,
    constants: constantNames(given, launches),
    uses,
    untyped,
    names: short(
      [...all].filter((name) => words.has(name) && !given.has(name)),
      capitalNames('NOPQRSTUVWXYZ'),
    ),
    members: short(
      [...members].filter((name) => !SWIZZLE.test(name)),
      memberNames(),
    ),
  };
}

/** Like no constant, which has no small letters, and no local, which begins with one as long as one letter will do. */
function* capitalNames(first) {
  for (const a of first) for (const b of FIRST.slice(0, 26)) yield a + b;
}

function* memberNames() {
  for (const name of shortNames()) if (!SWIZZLE.test(name)) yield name;
}

/** Gives names at module scope and members the names of the maps. */
function renameDeclared(list, names, members) {
  let depth = 0;
  let inStruct = false;
  list.forEach((token, i) => {
    const { kind, text, local } = token;
    if (text === '{') depth++;
    else if (text === '}') depth--;
    if (kind !== 'word' || local) return;
    if (depth === 0 && DECLARES.has(text)) inStruct = text === 'struct';
    const before = list[i - 1]?.text;
    const isMember = before === '.' || (inStruct && depth === 1 && list[i + 1]?.text === ':');
    const name = isMember ? members.get(text) : before === '@' ? undefined : names.get(text);
    if (name !== undefined) list[i] = { kind, text: name };
  });
}

/** Gives the locals of the function that begins at `from` short names; returns where it ends. */
function renameLocals(list, from, outer) {
  const is = (i, text) => list[i]?.text === text;
  /** Names in scope, innermost last; a `for` has one for its header around the one of its body. */
  const scopes = [new Set()];
  /** Where each local's name stands. */
  const places = new Map();
  /** Names from outside the function. */
  const free = new Set();
  const nameOf = (name) => outer.get(name) ?? name;
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
  free.add(nameOf(list[from + 1].text));
  let at = from + 2;
  for (; !is(at, '{'); at++) {
    if (list[at].kind !== 'word') continue;
    if (is(at + 1, ':')) scopes[0].add(declare(at));
    else free.add(nameOf(list[at].text));
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
        at = nameAfter(list, at);
        pending = declare(at);
      } else if (!is(at - 1, '.') && !is(at - 1, '@')) {
        if (scopes.some((scope) => scope.has(text))) places.get(text).push(at);
        else free.add(nameOf(text));
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
    for (const i of at) list[i] = { kind: 'word', text: name, local: true };
  }
  return at;
}

/** With those that a kernel alone declares: in the order of its text, so that kernels alike stay alike. */
function withOwn(list, { names, constants, given }) {
  const all = new Map([...names, ...constants]);
  const short = capitalNames('ABCDEFGHIJKLM');
  for (const name of declared(list).names)
    if (!all.has(name) && !given.has(name)) all.set(name, short.next().value);
  return all;
}

/** Operators whose other operand gives a number its type. */
const TYPED_BY_LEFT = /^(?:[-+*/%&|^]=?|[<>!=]=|<<|>>|[<>])$/;

/** Whether what ends at `i` is an operand with a type of its own: not made of numbers and constants that have none. */
function isTyped(list, i, untyped) {
  const isName = (token) => token.kind === 'word' && !untyped.has(token.text);
  if (!/^[)\]]$/.test(list[i]?.text)) return list[i] !== undefined && isName(list[i]);
  let depth = 0;
  for (let at = i; at >= 0; at--) {
    if (/^[)\]]$/.test(list[at].text)) depth++;
    else if (/^[([]$/.test(list[at].text) && --depth === 0) return false;
    else if (isName(list[at])) return true;
  }
  return false;
}

/**
 * Leaves out what the language supposes: the access `read` of storage, the suffix of an unsigned number beside an operand that
 * has a type, and as an index or a case. `untyped`: names of constants that have none.
 */
function withoutSupposed(list, untyped) {
  const kept = [];
  list.forEach((token, i) => {
    const at = (k) => list[i + k]?.text ?? '';
    const isRead = token.text === 'read' && at(-1) === ',' && at(-2) === 'storage' && at(1) === '>';
    if (isRead) {
      kept.pop();
      return;
    }
    const beside = TYPED_BY_LEFT.test(at(-1)) && isTyped(list, i - 2, untyped);
    const alone = (at(-1) === '[' && at(1) === ']') || at(-1) === 'case';
    if (token.kind === 'number' && /^(?:\d+|0[xX][\da-fA-F]+)u$/.test(token.text) && (beside || alone))
      kept.push({ kind: 'number', text: token.text.slice(0, -1) });
    else kept.push(token);
  });
  return kept;
}

const BEFORE_PRODUCT = /^(?:[-+=(,[{;]|[-+*/%]=|[<>!=]=|return)$/;

/** Leaves out the parentheses around the first factors of a product, which is computed from left to right anyway. */
function withoutParentheses(list) {
  const dropped = new Set();
  list.forEach(({ text }, i) => {
    if (text !== '(' || !BEFORE_PRODUCT.test(list[i - 1]?.text ?? '')) return;
    let end = i + 1;
    while (list[end] && (list[end].kind !== 'operator' || /^[*/%.]$/.test(list[end].text))) end++;
    if (list[end]?.text !== ')' || list[i + 1].kind === 'operator' || list[end + 1]?.text === '.') return;
    dropped.add(i).add(end);
  });
  return list.filter((_, i) => !dropped.has(i));
}

/** Puts numbers that only this file has a name for where the name stands. */
function withNumbers(list, uses) {
  const values = new Map();
  const rest = [];
  let depth = 0;
  for (let i = 0; i < list.length; i++) {
    const [word, name, equals, number, end] = list.slice(i, i + 5);
    if (word.text === '{') depth++;
    else if (word.text === '}') depth--;
    const isNumber = equals?.text === '=' && number?.kind === 'number' && end?.text === ';';
    if (depth === 0 && word.text === 'const' && isNumber && uses.get(name.text) === 1) {
      values.set(name.text, number);
      i += 4;
    } else rest.push(word);
  }
  return rest.map((token, i) => (rest[i - 1]?.text === '.' ? token : (values.get(token.text) ?? token)));
}

/**
 * WGSL that computes the same; `shared` is what moduleNames gives for all files. Each declaration has a line: directives must
 * begin one, and a compiler's message then says where it is.
 */
export function minifyWgsl(code, shared) {
  const list = shared
    ? withoutParentheses(withoutSupposed(withNumbers(tokens(code), shared.uses), shared.untyped))
    : tokens(code);
  const names = shared ? withOwn(list, shared) : new Map();
  for (let i = 0; i < list.length; i++) if (list[i].text === 'fn') i = renameLocals(list, i, names);
  renameDeclared(list, names, shared?.members ?? new Map());
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
