package data_test

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"ngebm/data"
)

// A folder of photographs that differ in size, a folder for each class in it,
// becomes a set of one size; a fifth of every class is to test with.
func ExampleOpen_folder() {
	photos, err := os.MkdirTemp("", "photos")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(photos)
	for i := range 20 {
		class := filepath.Join(photos, []string{"cat", "dog"}[i%2])
		if err := os.MkdirAll(class, 0o755); err != nil {
			log.Fatal(err)
		}
		file, err := os.Create(filepath.Join(class, fmt.Sprintf("%02d.png", i)))
		if err != nil {
			log.Fatal(err)
		}
		if err := png.Encode(file, image.NewNRGBA(image.Rect(0, 0, 40+i, 60-i))); err != nil {
			log.Fatal(err)
		}
		if err := file.Close(); err != nil {
			log.Fatal(err)
		}
	}
	train, test, err := data.Open(context.Background(), "folder:"+photos+"@32", data.Options{Cache: filepath.Join(photos, ".cache")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), "and", test.Len(), "images of", train.Shape, "in the classes", train.Classes)
	fmt.Println(train.Source)
	// Output:
	// 16 and 4 images of [32 32 3] in the classes [cat dog]
	// a user's images; split by file name, a fifth of every class to test; the middle of each scaled to 32x32
}
