//go:build !libraries

package main

func use() {}
