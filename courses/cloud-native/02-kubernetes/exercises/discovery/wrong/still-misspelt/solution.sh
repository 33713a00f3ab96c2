kubectl set selector service shop app=shop,tier=fornt
sleep 2
