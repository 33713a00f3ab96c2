module naru/bake

go 1.24

require github.com/vbatts/tar-split v0.12.1
