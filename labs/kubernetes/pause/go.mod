module naru/pause

go 1.24
