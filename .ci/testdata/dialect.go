package dialect

// ErrStrange has a word in an identifier.
var ErrStrange error

const centre = "the colour of it"
