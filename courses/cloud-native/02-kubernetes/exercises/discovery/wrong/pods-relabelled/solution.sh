kubectl label pods -l app=shop tier=frontend --overwrite
sleep 3
