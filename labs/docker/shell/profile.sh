# What a learner's login shell starts with (read by /etc/profile).
export LANG=ko_KR.UTF-8 EDITOR=nano PAGER=less LESS=-FRX DOCKER_CLI_HINTS=false
if [ -n "${BASH_VERSION:-}" ] && [ -n "${PS1:-}" ]; then
    PS1="\\u@${NARU_HOST:-\\h}:\\w\\\$ "
    HISTFILE=$HOME/.bash_history HISTSIZE=5000 HISTFILESIZE=5000 HISTCONTROL=ignoredups
    shopt -s histappend checkwinsize
    PROMPT_COMMAND='history -a' # so that it outlives a lab that ends without a word
    alias ls='ls --color=auto' grep='grep --color=auto'
fi
