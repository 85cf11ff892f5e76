"""Twenty steps of a small network under PyTorch's optimizers, in f64: python optimizers.py > optimizers.json

    z = (w_std / sqrt n_in) h W + b_std b,   h = erf(z) between layers,   W: [n_in, n_out]

The loss is sum (f - y)^2 / (2 N O) over the N rows and O outputs of the batch, or the mean over rows of the softmax cross-entropy; its
gradient with respect to theta = (W, b, ...) is g. Where a case does not say otherwise, weight_decay = pull = momentum = 0, and

    g     <- g + weight_decay theta + pull (theta - theta_0)
    v     <- momentum v + g,   theta <- theta - lr v                                    v = 0 at first
    adam:    m <- b1 m + (1 - b1) g,   s <- b2 s + (1 - b2) g^2                         m = s = 0 at first
             theta <- theta - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + eps)        t = 1, 2, ...

lr at step k = 0, 1, ... of a cosine schedule is lr (1 + cos(pi k / 20)) / 2. losses are those before each step, on its batch, without
weight decay or pull, and cross-entropy has labels for y. NumPy repeats every case by these formulas, and must agree.
"""

import json
import math

import numpy
import scipy.special
import torch

STEPS = 20
SIZES = [3, 5, 5, 2]
W_STD, B_STD = 1.4, 0.1
AGREE = 1e-12


def cases(rng):
    batches = [sorted(rng.choice(8, size=3, replace=False).tolist()) for _ in range(STEPS)]
    adam = {"optimizer": "adam", "lr": 0.01, "b1": 0.9, "b2": 0.999, "eps": 1e-8}
    return [
        {"name": "gd", "lr": 0.3},
        {"name": "gd, weight decay", "lr": 0.3, "weight_decay": 0.01},
        {"name": "gd, pull", "lr": 0.3, "pull": 0.02},
        {"name": "momentum", "lr": 0.05, "momentum": 0.9},
        {"name": "sgd", "lr": 0.2, "batches": batches},
        {"name": "adam", **adam},
        {"name": "adam, weight decay", **adam, "weight_decay": 0.01},
        {"name": "momentum, cosine", "lr": 0.05, "momentum": 0.9, "schedule": "cosine"},
        {"name": "gd, cross-entropy", "lr": 0.5, "loss": "cross_entropy"},
        {"name": "sgd, momentum", "lr": 0.05, "momentum": 0.9, "batches": batches},
    ]


def rate(case, step):
    return case["lr"] * (1 + math.cos(math.pi * step / STEPS)) / 2 if case.get("schedule") == "cosine" else case["lr"]


def rows(case, step):
    return case["batches"][step] if "batches" in case else list(range(8))


def scale(w):
    return W_STD / math.sqrt(len(w))


def by_torch(case, x, y, start):
    """Losses and final parameters W, b, W, b, ..."""
    theta = [torch.tensor(p, requires_grad=True) for p in start]
    origin = [torch.tensor(p) for p in start]
    decay = case.get("weight_decay", 0)
    if case.get("optimizer") == "adam":
        betas = (case["b1"], case["b2"])
        optimizer = torch.optim.Adam(theta, lr=case["lr"], betas=betas, eps=case["eps"], weight_decay=decay)
    else:
        optimizer = torch.optim.SGD(theta, lr=case["lr"], momentum=case.get("momentum", 0), weight_decay=decay)

    losses = []
    for step in range(STEPS):
        batch = rows(case, step)
        f, target = torch.tensor(x[batch]), torch.tensor(y[batch])
        for layer in range(0, len(theta), 2):
            w, b = theta[layer : layer + 2]
            f = scale(w) * (torch.erf(f) if layer else f) @ w + B_STD * b
        if case.get("loss") == "cross_entropy":
            loss = torch.nn.functional.cross_entropy(f, target)
        else:
            loss = torch.nn.functional.mse_loss(f, target) / 2
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        for p, p0 in zip(theta, origin):
            p.grad += case.get("pull", 0) * (p.detach() - p0)
        optimizer.param_groups[0]["lr"] = rate(case, step)
        optimizer.step()
    return losses, [p.detach().numpy() for p in theta]


def by_numpy(case, x, y, start):
    """The same by the formulas above, without PyTorch's derivatives or optimizers."""
    theta = list(start)
    v, m, s = ([numpy.zeros_like(p) for p in start] for _ in range(3))
    losses = []
    for step in range(STEPS):
        batch = rows(case, step)
        loss, gradient = backward(theta, x[batch], y[batch], case.get("loss"))
        losses.append(loss)
        for i, (p, p0) in enumerate(zip(theta, start)):
            g = gradient[i] + case.get("weight_decay", 0) * p + case.get("pull", 0) * (p - p0)
            if case.get("optimizer") == "adam":
                b1, b2, t = case["b1"], case["b2"], step + 1
                m[i] = b1 * m[i] + (1 - b1) * g
                s[i] = b2 * s[i] + (1 - b2) * g**2
                change = m[i] / (1 - b1**t) / (numpy.sqrt(s[i] / (1 - b2**t)) + case["eps"])
            else:
                change = v[i] = case.get("momentum", 0) * v[i] + g
            theta[i] = p - rate(case, step) * change
    return losses, theta


def backward(theta, x, y, loss):
    """The loss and its gradient."""
    z, inputs = x, []
    for layer in range(0, len(theta), 2):
        w, b = theta[layer : layer + 2]
        inputs.append((z, scipy.special.erf(z) if layer else z))
        z = scale(w) * inputs[-1][1] @ w + B_STD * b
    if loss == "cross_entropy":
        log_p = z - scipy.special.logsumexp(z, axis=1, keepdims=True)
        value, delta = -(y * log_p).sum() / len(y), (numpy.exp(log_p) - y) / len(y)
    else:
        value, delta = ((z - y) ** 2).sum() / (2 * y.size), (z - y) / y.size
    gradient = []
    for layer in reversed(range(0, len(theta), 2)):
        w = theta[layer]
        z, h = inputs.pop()
        gradient = [scale(w) * h.T @ delta, B_STD * delta.sum(axis=0)] + gradient
        delta = scale(w) * delta @ w.T * 2 / math.sqrt(math.pi) * numpy.exp(-(z**2))
    return float(value), gradient


def weights_and_biases(theta):
    return {"weights": [p.tolist() for p in theta[::2]], "biases": [p.tolist() for p in theta[1::2]]}


def main():
    rng = numpy.random.default_rng(0)
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    labels = numpy.eye(2)[rng.permutation([0, 1] * 4)]
    start = [rng.standard_normal(shape) for n_in, n_out in zip(SIZES, SIZES[1:]) for shape in ((n_in, n_out), n_out)]

    found = []
    for case in cases(rng):
        target = labels if case.get("loss") == "cross_entropy" else y
        losses, theta = by_torch(case, x, target, start)
        check_losses, check_theta = by_numpy(case, x, target, start)
        for ours, theirs in zip([*check_theta, check_losses], [*theta, losses]):
            numpy.testing.assert_allclose(ours, theirs, rtol=AGREE, atol=AGREE, err_msg=case["name"])
        found.append({**case, "losses": losses, **weights_and_biases(theta)})

    meta = {
        "generator": "optimizers.py",
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "dtype": "float64",
        "steps": STEPS,
        "numpy_agrees_within": AGREE,
        "activation": "erf",
        "w_std": W_STD,
        "b_std": B_STD,
    }
    data = {"x_train": x.tolist(), "y_train": y.tolist(), "labels": labels.tolist()}
    print(json.dumps({"meta": meta, **data, "init": weights_and_biases(start), "cases": found}, separators=(",", ":")))


if __name__ == "__main__":
    main()
