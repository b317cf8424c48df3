declare module '*.wgsl' {
  const shader: import('../engine/kernel.js').Shader;
  export default shader;
}
