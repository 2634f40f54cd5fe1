package plots

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/data"
)

// Tile is one image of an [ImageTable]: an example of a set.
type Tile struct {
	Set   *data.Dataset
	Index int
}

// ImageRow is one row of an [ImageTable], such as one kind of corruption.
type ImageRow struct {
	Name  string
	Tiles []Tile // one for each column; a nil Set leaves the place empty
}

// Sizes of a table of images, in pixels of a PNG.
const (
	tableTile    = 128 // 4 times 32 and 16 times 8, so that these fill it
	tableHeading = 44  // room for a line of text above the images
)

// ImageTable draws images in rows and columns with a title and a name for each, as
// Images does, without smoothing. The title should say whose images they are. At
// most 400 images, in any mixture of shapes of 1 or 3 channels.
func ImageTable(title string, columns []string, rows ...ImageRow) (*Figure, error) {
	return imageTable(title, columns, rows, nil)
}

// imageTable is ImageTable with captions, by row and column; nil is none.
func imageTable(title string, columns []string, rows []ImageRow, captions [][]string) (*Figure, error) {
	pictures, err := tablePictures(columns, rows)
	if err != nil {
		return nil, err
	}
	length := func(pixels int) vg.Length { return vg.Length(pixels) * vg.Inch / imageDPI }
	pixels := func(l vg.Length) int { return int(l.Dots(imageDPI) + .5) }

	name := textStyle(labelSize, true)
	name.YAlign = draw.YCenter
	left := 0 // what the rows' names take up
	for _, row := range rows {
		left = max(left, pixels(name.Width(row.Name))+1)
	}
	if left > 1 {
		left = min(left, 2*rowLabelPixels) + 2*tileGap
	}
	outer := pixels(margin)
	tile := min(tableTile, (imagesWidth-2*outer-left-(len(columns)-1)*tileGap)/len(columns))
	if tile < 1 {
		return nil, fmt.Errorf("plots: %d columns of images have no room side by side: draw fewer", len(columns))
	}
	// Rows are as high as their highest image.
	tiles, heights := make([][]image.Image, len(rows)), make([]int, len(rows))
	above := tableHeading + tileGap // what title and columns' names take up
	if slices.ContainsFunc(columns, func(name string) bool { return name != "" }) {
		above = 2 * tableHeading
	}
	height := 2*outer + above
	below := 0 // what the captions of a row take up
	if captions != nil {
		below = captionPixels - tileGap
	}
	for i := range rows {
		tiles[i] = make([]image.Image, len(columns))
		for j, img := range pictures[i] {
			if img != nil {
				tiles[i][j] = enlarge(img, tile)
				heights[i] = max(heights[i], tiles[i][j].Bounds().Dy())
			}
		}
		height += heights[i] + below + tileGap
	}
	heading := textStyle(titleSize, true)
	heading.YAlign = draw.YTop
	width := 2*outer + max(left+len(columns)*(tile+tileGap)-tileGap, pixels(min(heading.Width(title), length(imagesWidth-2*outer))))
	f := &Figure{Width: length(width), Height: length(height), photo: true, Alt: tableAlt(title, columns, rows)}
	f.draw = func(c draw.Canvas) {
		at := func(x, down int) vg.Point { return vg.Point{X: c.Min.X + length(x), Y: c.Max.Y - length(down)} }
		c.FillText(heading, at(outer, outer), shorten(title, length(width-2*outer), heading.Width))
		column := textStyle(tickSize, false)
		column.XAlign, column.YAlign = draw.XCenter, draw.YTop
		for j, text := range columns {
			c.FillText(column, at(outer+left+j*(tile+tileGap)+tile/2, outer+tableHeading+tileGap), shorten(text, length(tile), column.Width))
		}
		top := outer + above
		for i, row := range rows {
			c.FillText(name, at(outer, top+heights[i]/2), shorten(row.Name, length(left-2*tileGap), name.Width))
			for j, img := range tiles[i] {
				if captions != nil {
					middle := at(outer+left+j*(tile+tileGap)+tile/2, top+heights[i]+4)
					c.FillText(column, middle, shorten(captions[i][j], length(tile), column.Width))
				}
				if img == nil {
					continue
				}
				size := img.Bounds().Size()
				x, down := outer+left+j*(tile+tileGap)+(tile-size.X)/2, top+(heights[i]-size.Y)/2
				rect := vg.Rectangle{Min: at(x, down+size.Y), Max: at(x+size.X, down)}
				drawFrame(c, rect, length(1))
				c.DrawImage(rect, img)
			}
			top += heights[i] + below + tileGap
		}
	}
	return f, nil
}

// tablePictures returns the images by row and column, or says what is wrong.
func tablePictures(columns []string, rows []ImageRow) ([][]image.Image, error) {
	if len(columns) == 0 || len(rows) == 0 {
		return nil, errors.New("plots: a table of images needs a row and a column or more")
	}
	if n := len(rows) * len(columns); n > maxImages {
		return nil, fmt.Errorf("plots: %d images to draw: choose 1 to %d", n, maxImages)
	}
	pictures := make([][]image.Image, len(rows))
	for i, row := range rows {
		if len(row.Tiles) != len(columns) {
			return nil, fmt.Errorf("plots: row %d, %q, has %d images for %d columns", i, row.Name, len(row.Tiles), len(columns))
		}
		for _, t := range row.Tiles {
			if t.Set == nil {
				pictures[i] = append(pictures[i], nil)
				continue
			}
			picked, _, err := pickImages(t.Set, []int{t.Index}, nil)
			if err != nil {
				return nil, err
			}
			pictures[i] = append(pictures[i], picked[0])
		}
	}
	return pictures, nil
}

func tableAlt(title string, columns []string, rows []ImageRow) string {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	return fmt.Sprintf("%s: a table of images. From top to bottom: %s. From left to right: %s.", title, strings.Join(names, ", "), strings.Join(columns, ", "))
}
