module naru/images

go 1.24
