module geist.example/tests

go 1.21
