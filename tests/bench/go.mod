module geist.example/bench

go 1.21
