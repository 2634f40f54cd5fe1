package data_test

import (
	"context"
	"fmt"
	"log"

	"ngebm/data"
)

// A table is named by its file and the column of the classes. Its encoder turns other rows into
// inputs, with the means and deviations of the training rows; a trained run keeps it as
// run.Classifier.Encoder.
func ExampleOpen_table() {
	train, test, err := data.Open(context.Background(), "csv:testdata/tables/wine.csv@class", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train)
	fmt.Println(test)
	c, _, err := train.Encoder.Column("alcohol")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: mean %.2f, deviation %.2f\n", c.Name, c.Mean, c.Deviation)
	_, err = train.Encoder.Encode(map[string]any{"alcohol": 13.2, "malic_acid": "strong"})
	fmt.Println(err)
	// Output:
	// wine.csv train: 142 examples of [13] in 3 classes
	// wine.csv test: 36 examples of [13] in 3 classes
	// alcohol: mean 13.00, deviation 0.80
	// column "malic_acid" has the text "strong": give a number
}
