package publish

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
)

// versions returns the versions of Go and GoMLX, and the kind of machine, that notebooks ran on.
func versions(ctx context.Context, p *setup.Workspace) (string, error) {
	cmd := proc.Command(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/gomlx/gomlx")
	cmd.Dir, cmd.Env = p.Root, setup.GoEnv()
	gomlx, err := proc.Output(ctx, cmd)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Go %s and GoMLX %s on %s/%s", strings.TrimPrefix(p.Version, "go"), strings.TrimPrefix(strings.TrimSpace(string(gomlx)), "v"), runtime.GOOS, runtime.GOARCH), nil
}
