package picture

type Figure struct {
	File       string `json:"file"` // below the site's folder
	Alt        string `json:"alt"`
	Width      int    `json:"width"` // in CSS pixels, 0 where the notebook does not say
	Height     int    `json:"height"`
	Content    []byte `json:"content"`
	Path       string `json:"path"` // where the notebook says that the picture is, empty for one within it
	Kind       string `json:"kind"` // ".png"
	Cell       *int   `json:"cell"`
	PosterFile string `json:"poster"` // the file of an animation's last frame, empty for others
	Poster     []byte // what that file holds
}

// Tall reports whether a figure is so high that on the index its upper part says more
// than all of it, small.
func (f *Figure) Tall() bool { return 3*f.Height > 2*f.Width }
