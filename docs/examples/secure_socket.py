"""A listening socket that IPsec protects, by the socket service of solipsec (see solipsec-sockets(7)).

What it gets stands in the configuration of the agent, for the unit of systemd that this runs in; a program may also name
a policy itself: {"protect": {"encryption": "aes", "authentication": "sha256"}}.
"""
import json
import socket


def secure(sock, policy, path="/run/solipsec/sockets"):
    """Gives `sock` a policy. Raises OSError where it is refused; returns what the agent did."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as agent:
        agent.connect(path)
        socket.send_fds(agent, [json.dumps(policy).encode()], [sock.fileno()])
        answer = json.loads(agent.recv(65536))
    if answer["errno"]:
        raise OSError(answer["errno"], answer["reason"])
    return answer


if __name__ == "__main__":
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", 7007))
        print(secure(server, {"action": "service", "wait": 30}))
        server.listen()
        while True:
            connection, address = server.accept()
            with connection:
                connection.sendall(f"hello {address[0]}\n".encode())
