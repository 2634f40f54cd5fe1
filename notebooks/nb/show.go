package nb

import (
	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/plots"
	"ngebm/plots/notebook"
)

// used are the sets that the captions of this cell's figures name, see [Use].
var used []data.Info

// Use names a set in the captions of the figures that the cell shows from now on. [Train],
// [CompareSeeds], [CompareMethods] and [Results] do so; [Open] does not.
func Use(set data.Info) { used = append(used, set) }

// Show puts a figure below the cell, and below it the sets that the cell has used. It
// takes what the functions of package plots return.
func Show(figure *plots.Figure, err error) {
	Check(notebook.Show(Caption(Must(figure, err))))
}

// ShowAnimation puts an animation below the cell.
func ShowAnimation(animation *plots.Animation, err error) {
	Check(notebook.ShowAnimation(Must(animation, err)))
}

// Caption puts the sets that the cell has used below a figure.
func Caption(figure *plots.Figure) *plots.Figure { return figure.WithSource(used...) }

// Landscape is the energy of a classifier of points in the plane on a grid of cells by
// cells, with the run's test points on top.
func Landscape(title string, run *ngebm.Run, cells int) plots.Landscape {
	grid := Must(plots.EnergyGrid(Context(), run.Classifier, run.Test, cells))
	return plots.Landscape{Title: title, Grid: grid, Data: run.Test}
}
