module naru/shop

go 1.24
