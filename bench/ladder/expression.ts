/** Whole-number arithmetic on names, as the `dispatch` line of a kernel needs: `ceil(N * K / 64), 1, 1`. */

const FUNCTIONS: Readonly<Record<string, (...values: number[]) => number>> = {
  ceil: Math.ceil,
  floor: Math.floor,
  min: Math.min,
  max: Math.max,
};

/**
 * Values of expressions with commas between: + - * / % ( ) ceil floor min max, numbers, and `names`.
 * @throws RangeError that says what is wrong and where.
 */
export function evaluateList(text: string, names: Readonly<Record<string, number>>): number[] {
  const tokens = [...text.matchAll(/\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(\S))/g)];
  let at = 0;
  const peek = (): string | undefined => tokens[at]?.[0].trim();
  const fail = (what: string): never => {
    throw new RangeError(`${what} in "${text.trim()}"`);
  };
  const expect = (mark: string): void => {
    if (peek() !== mark)
      fail(`${mark} is missing${peek() === undefined ? ' at the end' : ` before "${peek()}"`}`);
    at++;
  };
  const list = (): number[] => {
    const values = [sum()];
    while (peek() === ',') {
      at++;
      values.push(sum());
    }
    return values;
  };
  const sum = (): number => {
    let value = product();
    for (let mark = peek(); mark === '+' || mark === '-'; mark = peek()) {
      at++;
      const right = product();
      value = mark === '+' ? value + right : value - right;
    }
    return value;
  };
  const product = (): number => {
    let value = term();
    for (let mark = peek(); mark === '*' || mark === '/' || mark === '%'; mark = peek()) {
      at++;
      const right = term();
      value = mark === '*' ? value * right : mark === '/' ? value / right : value % right;
    }
    return value;
  };
  const term = (): number => {
    const [, digits, name] = tokens[at] ?? fail('an operand is missing at the end');
    if (digits !== undefined) {
      at++;
      return Number(digits);
    }
    if (name === undefined) {
      expect('(');
      const value = sum();
      expect(')');
      return value;
    }
    at++;
    const called = FUNCTIONS[name];
    if (called && peek() === '(') {
      at++;
      const values = list();
      expect(')');
      return called(...values);
    }
    return names[name] ?? fail(`there is no constant ${name} (there are ${Object.keys(names).join(', ')})`);
  };
  const values = list();
  if (peek() !== undefined) fail(`"${peek()}" is not expected`);
  return values;
}
