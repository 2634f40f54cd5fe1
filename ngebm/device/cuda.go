package device

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cudaPlugin is a CUDA plugin and the folder of NVIDIA's libraries next to it.
type cudaPlugin struct {
	plugin
	toolkit string // folder of bin/ptxas and nvvm/libdevice; "" where go-xla knows it
}

// cudaAdvice says how to get the CUDA plugin.
const cudaAdvice = `install it with: python3 -m pip install "jax[cuda13]" (or "jax[cuda12]" for an older driver), with the python3 that is on the PATH`

// findCUDA looks for the CUDA plugin in folders, where go-xla installs it, then among the
// packages of the python3 on the PATH, where jax installs it.
func findCUDA(ctx context.Context, first []string) (cudaPlugin, error) {
	var folders []string
	for _, f := range searchFolders(first) {
		folders = append(folders, f, filepath.Join(f, "nvidia"))
	}
	if p, ok := findInstalled(folders, CUDA); ok {
		return cudaPlugin{plugin: p}, nil
	}
	cache, err := cacheFolder()
	if err != nil {
		return cudaPlugin{}, fmt.Errorf("no folder to keep links to the CUDA plugin in: %w; set XDG_CACHE_HOME to one", err)
	}
	return findJAX(pythonPath(ctx), filepath.Join(cache, "jax"))
}

// pythonPath lists the folders from which the python3 on the PATH imports.
func pythonPath(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "python3", "-c", `import sys; print("\n".join(p for p in sys.path if p))`).Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// findJAX finds jax's CUDA plugin in folders of Python packages, and links it into a folder
// below links under the name that go-xla expects. The plugin looks for NVIDIA's libraries in
// ../nvidia from where it is opened.
func findJAX(packages []string, links string) (cudaPlugin, error) {
	for _, dir := range packages {
		for _, cuda := range []struct{ plugin, toolkit string }{
			{"xla_cuda13", "cu13"},
			{"xla_cuda12", "cuda_nvcc"},
		} {
			so := filepath.Join(dir, "jax_plugins", cuda.plugin, "xla_cuda_plugin.so")
			nvidia := filepath.Join(dir, "nvidia")
			if !exists(so) {
				continue
			}
			if !exists(nvidia) {
				return cudaPlugin{}, fmt.Errorf("%s exists but NVIDIA's libraries are not in %s; %s", so, nvidia, cudaAdvice)
			}
			tree := filepath.Join(links, fmt.Sprintf("%x", sha256.Sum256([]byte(so)))[:12])
			path := filepath.Join(tree, "plugin", "pjrt_c_api_cuda_plugin.so")
			if err := link(so, path); err != nil {
				return cudaPlugin{}, err
			}
			if err := link(nvidia, filepath.Join(tree, "nvidia")); err != nil {
				return cudaPlugin{}, err
			}
			return cudaPlugin{
				plugin:  plugin{path: path, source: "jax's " + cuda.plugin + " in " + dir + ", compared with no checksum"},
				toolkit: filepath.Join(nvidia, cuda.toolkit),
			}, nil
		}
	}
	return cudaPlugin{}, errors.New("the CUDA plugin is neither in go-xla's folders nor among python3's packages; " + cudaAdvice)
}

// link creates a symbolic link, or keeps an existing one: its name holds a hash of the
// target.
func link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(target, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openCUDA opens XLA on the GPU.
func (o opener) openCUDA(ctx context.Context, options string) (*Device, error) {
	if !o.gpu() {
		return nil, errors.New("no NVIDIA GPU found (neither /dev/nvidia* nor nvidia-smi shows one); use cpu, or check the driver with nvidia-smi")
	}
	p, err := o.cudaPlugin(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkOwners(p.path); err != nil {
		return nil, err
	}
	if err := checkPath(p.path, CUDA, CPU); err != nil {
		return nil, err
	}
	if err := o.nameToolkit(p); err != nil {
		return nil, err
	}
	return o.openXLA(p.plugin, options, nil)
}

func (o opener) cudaPlugin(ctx context.Context) (cudaPlugin, error) {
	if o.Plugin != "" {
		p, err := namedPlugin(o.Plugin)
		return cudaPlugin{plugin: p}, err
	}
	return o.cuda(ctx)
}

// nameToolkit adds the folder of ptxas and libdevice to XLA_FLAGS, where it is known and not
// named there already. Otherwise go-xla would set XLA_FLAGS itself, to a folder that does not
// always hold them.
func (o *opener) nameToolkit(p cudaPlugin) error {
	const flag = "--xla_gpu_cuda_data_dir"
	toolkit := p.toolkit
	if toolkit == "" {
		toolkit = filepath.Join(filepath.Dir(filepath.Dir(p.path)), "nvidia") // go-xla's own
	}
	if !exists(toolkit) || strings.Contains(o.XLAFlags, flag) {
		return nil
	}
	flags := strings.TrimSpace(o.XLAFlags + " " + flag + "=" + toolkit)
	if o.SetXLAFlags == nil {
		return fmt.Errorf("XLA finds NVIDIA's tools only by a flag; set %s=%q before the program starts and give it in Options.XLAFlags, or give Options.SetXLAFlags", xlaFlags, flags)
	}
	if err := o.SetXLAFlags(flags); err != nil {
		return err
	}
	o.XLAFlags = flags
	return nil
}
