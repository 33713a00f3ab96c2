# What a learner's login shell knows of Kubernetes (read by /etc/profile).
if [ -n "${BASH_VERSION:-}" ] && [ -n "${PS1:-}" ]; then
    [ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
    alias k=kubectl
    complete -o default -F __start_kubectl k
fi
