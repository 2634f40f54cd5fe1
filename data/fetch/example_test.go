package fetch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"ngebm/data/fetch"
)

// A published file, from the second of its mirrors; the first one lacks it.
func ExampleFile_Get() {
	lacking := httptest.NewServer(http.NotFoundHandler())
	defer lacking.Close()
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello world") }))
	defer mirror.Close()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	greeting := fetch.File{
		Name:   "greeting.txt",
		URLs:   []string{lacking.URL + "/greeting.txt", mirror.URL + "/greeting.txt"},
		Size:   11,
		SHA256: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9", // echo -n hello world | sha256sum
	}
	fmt.Println("there:", greeting.State(folder))
	path, err := greeting.Get(context.Background(), fetch.Options{Folder: folder})
	if err != nil {
		fmt.Println(err)
		return
	}
	content, err := os.ReadFile(path)
	fmt.Println("there:", greeting.State(folder))
	fmt.Println(string(content), err)
	// Output:
	// there: no
	// there: yes
	// hello world <nil>
}
