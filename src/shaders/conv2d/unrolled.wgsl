// Piece of the matrix products: where their inner loops begin. A constant, so that compilers unroll them, and so that Tint
// sees how far their indices reach and leaves out what it puts before each access to workgroup memory otherwise.

const START = 0u;
