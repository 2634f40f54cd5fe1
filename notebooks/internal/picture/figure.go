package picture

type Figure struct {
	File       string `json:"file"` // below the site's folder
	Alt        string `json:"alt"`
	Width      int    `json:"width"` // in CSS pixels, 0 if the notebook does not say
	Height     int    `json:"height"`
	Content    []byte `json:"content"`
	Path       string `json:"path"` // the path that the notebook gives, empty for an embedded picture
	Kind       string `json:"kind"` // ".png"
	Cell       *int   `json:"cell"`
	PosterFile string `json:"poster"` // the file of an animation's last frame, else empty
	Poster     []byte // the content of PosterFile
}

// Tall reports whether a figure is so tall that the index should show its upper part rather
// than all of it scaled down.
func (f *Figure) Tall() bool { return 3*f.Height > 2*f.Width }
