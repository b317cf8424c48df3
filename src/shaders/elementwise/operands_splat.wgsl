// Both operands hold one value along the last axis: an element is read and spread over the V.

alias A_TYPE = f32;
alias B_TYPE = f32;
