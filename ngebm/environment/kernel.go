package environment

import "os"

// Kernel returns the id of the notebook's kernel where a cell of it can be seen in a
// browser, else "". Jupyter's server sets JPY_SESSION_NAME for every kernel; a program that
// runs notebooks without a server, and so without a browser, does not.
func Kernel() string {
	if os.Getenv("GONB_PIPE") == "" || os.Getenv("JPY_SESSION_NAME") == "" {
		return ""
	}
	return os.Getenv("GONB_JUPYTER_KERNEL_ID")
}
