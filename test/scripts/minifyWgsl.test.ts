import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { minifyWgsl, moduleNames } from '../../scripts/minifyWgsl.mjs';

describe('minifyWgsl', () => {
  it('drops comments, also nested ones, and spaces', () => {
    expect(minifyWgsl('// a\nconst  A = 1u; /* b /* c */ d */\nconst B\t= A;\n')).toBe(
      'const A=1u;\nconst B=A;',
    );
  });

  it('keeps the spaces that lexing needs', () => {
    const code = minifyWgsl(
      'fn f(p: ptr<function, i32>) -> i32 { let x = 1 - -2; let y = x / *p; return x + +y & (&*p); }',
    );
    expect(code).toBe('fn f(a:ptr<function,i32>)->i32{let b=1- -2;let c=b/ *a;return b+ +c&(&*a);}');
    expect(minifyWgsl('var<private> a: array<f32, 4> = array<f32, 4>();')).toContain('array<f32,4> =');
  });

  it('gives each directive a line, as the module text wants', () => {
    expect(minifyWgsl('enable f16;\nenable subgroups;\nconst A = 1;')).toBe(
      'enable f16;\nenable subgroups;\nconst A=1;',
    );
  });

  it('keeps names of the module, members, attributes and what is not its own', () => {
    const code = minifyWgsl(`
      struct Pair { first: f32, second: f32, }
      @compute @workgroup_size(SIZE) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        var pair: Pair;
        pair.first = f32(id.x) * WIDTH;
        out[id.x] = pair.first + outside(pair.second);
      }`);
    expect(code).toBe(
      'struct Pair{first:f32,second:f32}\n' +
        '@compute@workgroup_size(SIZE)fn main(@builtin(global_invocation_id)a:vec3<u32>)' +
        '{var b:Pair;b.first=f32(a.x)*WIDTH;out[a.x]=b.first+outside(b.second);}',
    );
  });

  it('takes no short name that the function already means something else by', () => {
    expect(minifyWgsl('fn f(value: f32) -> f32 { return value + a + b(C); }')).toBe(
      'fn f(c:f32)->f32{return c+a+b(C);}',
    );
  });

  it('knows a local only where it is in scope', () => {
    // The first and last `size` are the module's, as is the one in the initial value of the local.
    expect(
      minifyWgsl('fn f() -> u32 { var n = size; { let size = size + n; n = size; } return n + size; }'),
    ).toBe('fn f()->u32{var a=size;{let b=size+a;a=b;}return a+size;}');
    expect(minifyWgsl('fn f() { for (var i = 0u; i < k; i++) { let k = i; use(k); } use(k, i); }')).toBe(
      'fn f(){for(var a=0u;a<k;a++){let b=a;use(b);}use(k,i);}',
    );
    expect(minifyWgsl('fn f() { loop { let go = g(); continuing { break if go; } } }')).toBe(
      'fn f(){loop{let a=g();continuing{break if a;}}}',
    );
  });

  it('shortens names of the module and members where it knows all files, but for what comes from outside', () => {
    const piece =
      'struct Pair { x: f32, second: f32, } fn add(p: Pair) -> f32 { return p.x + p.second + at(WIDTH); }';
    const kernel =
      'const WIDTH = 4u; const SIDE = 2u; var<private> sum: f32; fn at(i: u32) -> f32 { return f32(i); }' +
      '@compute @workgroup_size(SIDE) fn main() { let own = sum; sum = own + add(Pair(1, N)); }';
    const names = moduleNames([piece, kernel]);
    expect(minifyWgsl(piece, names)).toBe(
      'struct Na{x:f32,c:f32}\nfn Nb(a:Na)->f32{return a.x+a.c+Nc(WIDTH);}',
    );
    expect(minifyWgsl(kernel, names)).toBe(
      'const WIDTH=4u;\nvar<private>Aa:f32;\nfn Nc(a:u32)->f32{return f32(a);}\n' +
        '@compute@workgroup_size(2u)fn main(){let a=Aa;Aa=a+Nb(Na(1,N));}',
    );
  });

  const alone = (code: string, launches: string[] = []) => minifyWgsl(code, moduleNames([code], launches));

  it('leaves out what the language supposes', () => {
    expect(alone('@group(0) @binding(0) var<storage, read> x: array<u32>;')).toBe(
      '@group(0)@binding(0)var<storage>Na:array<u32>;',
    );
    expect(
      alone(
        'fn f(i: u32) -> u32 { var k = 0u; k += 2u; return (i + 1u) * 4u + x[3u] + max(5u, i) + (k << 2u); }',
      ),
    ).toBe('fn Na(a:u32)->u32{var b=0u;b+=2;return(a+1)*4+x[3]+max(5u,a)+(b<<2);}');
    expect(alone('const TWO = 1 + 1; fn f() { let a = TWO * 3u; let b = (TWO) * 3u; }')).toBe(
      'const Na=1+1;\nfn Nb(){let a=Na*3u;let b=Na*3u;}',
    );
    expect(alone('fn f(i: u32) { switch i { case 1u { } default { } } }')).toBe(
      'fn Na(a:u32){switch a{case 1{}default{}}}',
    );
  });

  it('leaves out parentheses around the first factors of a product, and no others', () => {
    expect(alone('fn f(a: u32) -> u32 { let b = (a / 2u) % W; return (a * W) / 3u + (a + W) % 2u; }')).toBe(
      'fn Na(a:u32)->u32{let b=a/2%W;return a*W/3+(a+W)%2;}',
    );
    expect(alone('fn f(a: f32) -> u32 { let b = bitcast<u32>(a); return 6u / (b * 2u) - f((a)); }')).toBe(
      'fn Na(a:f32)->u32{let b=bitcast<u32>(a);return 6u/(b*2)-Na(a);}',
    );
  });

  it('shortens constants that TypeScript gives by their full names, and endings of those it puts together', () => {
    const launch = "({ COUNT: n, SHAPE, ...prefixed(name, { SIZE: size(1), STEP: 2 }), 'EACH': 2 })";
    expect(alone('const A = COUNT + SHAPE + X_SIZE + Y_STEP + EACH + OTHER + x.COUNT;', [launch])).toBe(
      'const Na=a2+a3+X_a0+Y_a1+EACH+OTHER+x.COUNT;',
    );
  });

  it('says what it cannot read', () => {
    expect(() => minifyWgsl('const A = #;')).toThrow('Not WGSL at "#;".');
    expect(() => minifyWgsl('/* never')).toThrow('A comment does not end.');
  });
});

const shaders = path.join('src', 'shaders');
const files = readdirSync(shaders, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.wgsl'),
);

/** Words, numbers and signs by other means than the code under test; a comma before a closing bracket is nothing. */
function parts(code: string): string[] {
  const plain = code.replace(/\/\/.*$/gm, '').replace(/,(?=\s*[)\]}])/g, '');
  return plain.match(/[A-Za-z_]\w*|[\d.][\w.]*|\S/g) ?? [];
}

describe('every kernel is the same after it, but for names', () => {
  it.each(files)('%s', (file) => {
    const code = readFileSync(path.join(shaders, file), 'utf8');
    const before = parts(code);
    const after = parts(minifyWgsl(code));
    expect(after.length).toBe(before.length);
    let there = new Map<string, string>();
    let back = new Map<string, string>();
    let renamed = 0;
    before.forEach((word, i) => {
      const now = after[i] as string;
      if (word === 'fn') {
        there = new Map();
        back = new Map();
      }
      // Members and attributes have a scope of their own.
      if (!/^[A-Za-z_]/.test(word) || before[i - 1] === '.' || before[i - 1] === '@') {
        expect(now).toBe(word);
        return;
      }
      // Within a function each name becomes one other, and no two the same.
      expect(there.get(word) ?? now, `${word} at ${i}`).toBe(now);
      expect(back.get(now) ?? word, `${now} at ${i}`).toBe(word);
      there.set(word, now);
      back.set(now, word);
      if (now !== word) renamed++;
    });
    expect(after.join(' ').length).toBeLessThanOrEqual(before.join(' ').length);
    if (/\blet\b/.test(code)) expect(renamed).toBeGreaterThan(0);
  });
});
