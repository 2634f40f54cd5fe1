package autodiff

import . "github.com/gomlx/gomlx/core/graph"

// Library is GoMLX's own gradient of a convolution (variables come before init).
var Library = VJPRegistration[NodeTypeConvGeneral]
