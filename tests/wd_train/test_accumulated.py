"""Are the gradients that a loop holds kept, and those that it does not hold not made up?"""

import io

import torch
from torch import nn

from wd_train.accumulated import gradients_of, set_gradients


def parts():
    torch.manual_seed(0)
    model = nn.ModuleDict({"table": nn.Embedding(5, 3, sparse=True), "head": nn.Linear(3, 2)})
    loss = nn.Linear(2, 1)  # parameters of an optimizer alone
    optimizer = torch.optim.SGD([*model["head"].parameters(), *loss.parameters()], lr=0.1)
    return {"decay": object(), "optimizer": optimizer, "model": model}, loss


def backward(held, loss):
    model = held["model"]
    loss(model["head"](model["table"](torch.tensor([1, 3])))).sum().backward()


def written(state):
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True), len(stream.getvalue())


def dense(held, loss):
    return [
        None if p.grad is None else p.grad.to_dense().tolist()
        for p in (*held["model"].parameters(), *loss.parameters())
    ]


def test_they_come_back_from_a_file_also_where_they_are_sparse_or_of_an_optimizer_alone():
    held, loss = parts()
    backward(held, loss)
    loss.bias.grad = None
    kept, _ = written(gradients_of(held))
    fresh, fresh_loss = parts()
    backward(fresh, fresh_loss)  # what it holds already goes
    set_gradients(fresh, kept)
    assert dense(fresh, fresh_loss) == dense(held, loss)


def test_the_kept_ones_are_copied_so_that_they_can_be_set_twice():
    held, loss = parts()
    backward(held, loss)
    kept, _ = written(gradients_of(held))
    set_gradients(held, kept)
    backward(held, loss)
    set_gradients(held, kept)
    fresh, fresh_loss = parts()
    backward(fresh, fresh_loss)
    assert dense(held, loss) == dense(fresh, fresh_loss)


def test_one_of_a_module_and_its_optimizer_is_written_once():
    model = nn.Linear(300, 300, bias=False)
    optimizer = torch.optim.SGD(model.parameters())
    model.weight.grad = torch.ones(300, 300)
    _, size = written(gradients_of({"model": model, "optimizer": optimizer}))
    assert size < 1.1 * 4 * 300 * 300
