package format_test

import (
	"fmt"
	"log"
	"os"

	"ngebm/data/format"
)

// SVHN's images are arrays of height, width, channels and number, in MATLAB's
// order: every image is together, its columns one after the other.
func ExampleReadMAT() {
	file, err := os.Open("testdata/svhn.mat")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	arrays, err := format.ReadMAT(file, 1<<30)
	if err != nil {
		log.Fatalf("%s: %v", file.Name(), err)
	}
	pixels, err := arrays["X"].Bytes()
	if err != nil {
		log.Fatal(err)
	}
	digits, err := arrays["y"].Integers()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(arrays["X"].Shape, pixels[:6])
	fmt.Println(arrays["y"].Shape, arrays["y"].Type, digits)
	// Output:
	// [2 3 3 4] [0 1 10 11 20 21]
	// [4 1] float64 [1 10 3 10]
}

func ExampleOpenNPZ() {
	file, err := os.Open("testdata/deflated.npz")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	arrays, err := format.OpenNPZ(file, info.Size())
	if err != nil {
		log.Fatalf("%s: %v", file.Name(), err)
	}
	for _, name := range arrays.Names() {
		a, err := arrays.Read(name, 1<<30)
		if err != nil {
			log.Fatalf("%s: %v", file.Name(), err)
		}
		values, err := a.Integers()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, a.Shape, a.Type, values)
	}
	// Output:
	// x [2 3] uint8 [0 1 2 3 4 5]
	// y [2] int64 [0 1]
}
