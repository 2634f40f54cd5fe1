package compilecache

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestProcessor(t *testing.T) {
	of := func(text string) (string, error) {
		path := filepath.Join(t.TempDir(), "cpuinfo")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return processor(path)
	}
	x86 := "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2596.146\nflags\t\t: fpu avx512f\n\nprocessor\t: 1\nflags\t\t: none\n"
	want := "vendor_id:AuthenticAMD\nmodel name:AMD EPYC\nflags:fpu avx512f\n"
	for text, what := range map[string]string{
		x86: "as it is",
		strings.Replace(x86, "2596.146", "1400", 1):                 "at another frequency",
		strings.Replace(x86, "processor\t: 0", "processor\t: 9", 1): "on another core",
	} {
		if got, err := of(text); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", what, got, err, want)
		}
	}
	if got, err := of("processor : 0\nBogoMIPS : 50.00\nFeatures : fp asimd\nCPU part : 0xd0c\n"); err != nil || got != "Features:fp asimd\nCPU part:0xd0c\n" {
		t.Errorf("arm64: %q, %v", got, err)
	}
	for _, text := range []string{"", "hart : 0\n"} {
		if got, err := of(text); err == nil {
			t.Errorf("%q is %q", text, got)
		}
	}
	if _, err := processor(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("without /proc the processor is known")
	}
}

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
