module geist.example/lab

go 1.21
