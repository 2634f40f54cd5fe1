package pjrthook

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The functions stand in the table where the header of go-xla, a copy of XLA's, has them.
func TestPlacesInTheTable(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pjrt", "pjrt_c_api.h"))
	if err != nil {
		t.Fatal(err)
	}
	table := string(header)[strings.Index(string(header), "typedef struct PJRT_Api {"):]
	places := map[string]int{}
	for i, found := range regexp.MustCompile(`_PJRT_API_STRUCT_FIELD\((\w+)\);`).FindAllStringSubmatch(table, -1) {
		places[found[1]] = i
	}
	ours, err := os.ReadFile("hook_linux.h")
	if err != nil {
		t.Fatal(err)
	}
	for name, function := range map[string]string{
		"ERROR_DESTROY":                    "PJRT_Error_Destroy",
		"CLIENT_COMPILE":                   "PJRT_Client_Compile",
		"EXECUTABLE_DESTROY":               "PJRT_Executable_Destroy",
		"EXECUTABLE_SERIALIZE":             "PJRT_Executable_Serialize",
		"LOADED_EXECUTABLE_GET_EXECUTABLE": "PJRT_LoadedExecutable_GetExecutable",
		"EXECUTABLE_DESERIALIZE_AND_LOAD":  "PJRT_Executable_DeserializeAndLoad",
	} {
		found := regexp.MustCompile(`\b` + name + ` = (\d+),`).FindSubmatch(ours)
		place, ok := places[function]
		if found == nil || !ok {
			t.Errorf("%s is %q here, %s is %d there (%v)", name, found, function, place, ok)
			continue
		}
		if is, err := strconv.Atoi(string(found[1])); err != nil || is != place {
			t.Errorf("%s is %d, not %d", name, is, place)
		}
	}
}
