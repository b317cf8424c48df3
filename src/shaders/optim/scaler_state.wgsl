// Where the words of a loss scaler's state lie. The first three outlast the step; the others are for the update of this
// one.

const SCALE = 0u; // what the next step's loss is multiplied by, a power of two
const GROWTH = 1u; // steps in a row without overflow since the scale last changed
const SKIPPED = 2u; // steps skipped in all
const OVERFLOWED = 3u; // 1 where this step is one of them
const UNSCALE = 4u; // one over the scale of this step's gradients
