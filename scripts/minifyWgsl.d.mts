export function minifyWgsl(code: string): string;
