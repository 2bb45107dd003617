module packyard/go-reader

go 1.24
