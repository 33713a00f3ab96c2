kubectl run first --image=shop:v1
