package data

import (
	"context"
	"testing"
	"time"
)

func TestTiming(t *testing.T) {
	opts := Options{Cache: t.TempDir()}
	for range 2 {
		start := time.Now()
		train, test, err := Open(context.Background(), "tar:/work/shared/data/cifar10-jpeg.tar.gz", opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(start), train, test, train.Checksum, test.Checksum, train.Classes, train.Lossy)
	}
}
