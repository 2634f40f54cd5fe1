//go:build !linux

package main

func malloc() string { return "" }
