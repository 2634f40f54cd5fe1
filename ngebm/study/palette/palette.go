// Package palette has the colors of figures and tables. Those of methods and lines have a
// contrast of 3:1 or more (WCAG 2.1, 1.4.11) against white paper, against the plate that
// figures have on dark pages, and against dark pages themselves, so that all have about the
// same lightness: lines differ by dashes too, markers by shape.
package palette

import (
	"image/color"
)

// The colors of methods and lines: hues of Okabe and Ito's palette and of Tol's muted one,
// darkened where they were too light. NG-EBM has three shades of one hue: the stronger the
// regularization, the darker (CIE L* of 59, 54 and 44).
var (
	Blue            = color.NRGBA{0x00, 0x72, 0xb2, 0xff} // cross-entropy
	SkyBlue         = color.NRGBA{0x2a, 0x93, 0xd4, 0xff} // after temperature scaling
	ReddishPurple   = color.NRGBA{0xc7, 0x63, 0x9a, 0xff} // label smoothing
	Brown           = color.NRGBA{0x8e, 0x59, 0x4e, 0xff} // focal
	Gray            = color.NRGBA{0x7c, 0x7c, 0x7c, 0xff} // mixup
	LightVermillion = color.NRGBA{0xd1, 0x76, 0x2e, 0xff} // NG-EBM, weak weights
	Vermillion      = color.NRGBA{0xd5, 0x5e, 0x00, 0xff} // NG-EBM
	DarkVermillion  = color.NRGBA{0xa9, 0x4b, 0x00, 0xff} // NG-EBM, strong weights
	BluishGreen     = color.NRGBA{0x00, 0x9e, 0x73, 0xff} // JEM
	Olive           = color.NRGBA{0x85, 0x85, 0x21, 0xff} // JEM with another start
	Ocher           = color.NRGBA{0xb7, 0x80, 0x00, 0xff} // adversarial training
	Violet          = color.NRGBA{0x74, 0x59, 0xc6, 0xff} // energy margin

	// Controls.
	Rose   = color.NRGBA{0xcc, 0x66, 0x77, 0xff} // NG-EBM's first term alone
	Wine   = color.NRGBA{0xaa, 0x44, 0x99, 0xff} // NG-EBM's second term alone
	Indigo = color.NRGBA{0x66, 0x66, 0xcc, 0xff} // z-loss
	Green  = color.NRGBA{0x33, 0x88, 0x44, 0xff} // input gradient
	Teal   = color.NRGBA{0x2f, 0x8f, 0x8f, 0xff} // Jacobian
	Khaki  = color.NRGBA{0x8a, 0x80, 0x3a, 0xff} // Gaussian noise
	Lilac  = color.NRGBA{0x8e, 0x6a, 0xae, 0xff} // LogitNorm
	Slate  = color.NRGBA{0x6a, 0x7a, 0x8a, 0xff} // outlier exposure
)

// Lines are given, in this order, to results that have no color.
var Lines = []color.NRGBA{Blue, Vermillion, BluishGreen, ReddishPurple, Ocher, SkyBlue, Violet}

// Classes are Okabe and Ito's eight colors, which people with any common color vision
// distinguish (Color Universal Design, 2008, https://jfly.uni-koeln.de/color/): for markers
// with a white edge on maps of energies, and in the order of a map's classes.
var Classes = []color.NRGBA{
	{0xe6, 0x9f, 0x00, 0xff}, Blue, BluishGreen, {0xcc, 0x79, 0xa7, 0xff},
	Vermillion, {0x56, 0xb4, 0xe9, 0xff}, {0xf0, 0xe4, 0x42, 0xff}, {0x00, 0x00, 0x00, 0xff},
}
