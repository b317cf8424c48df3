// The second operand holds one value along the last axis: an element is read and spread over the V.

alias A_TYPE = V;
alias B_TYPE = f32;
