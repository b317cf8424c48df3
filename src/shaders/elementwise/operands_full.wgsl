// Both operands are read a V at a time.

alias A_TYPE = V;
alias B_TYPE = V;
