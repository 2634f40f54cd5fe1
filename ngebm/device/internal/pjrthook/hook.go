// Package pjrthook hands what XLA is asked to compile to a function of this process, which may
// change the program, or load an executable in place of compiling it. go-xla has no place for
// that, so the plugin's table of functions gets another one to compile.
package pjrthook

// Compilation is one program that a client was asked to compile. The slices are the caller's
// memory, which ends with the call; a handler may set Program to others.
type Compilation struct {
	Format  []byte // of the program, such as "mlir"
	Program []byte
	Options []byte // to compile it with
	call    call
}

// Handler does a compilation: it calls [Compilation.Compile] or [Compilation.Load].
type Handler func(*Compilation)
