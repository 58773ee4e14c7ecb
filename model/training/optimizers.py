"""The optimisers that recipes name."""

from typing import Any

from model.recipe import Recipe


def build_optimizer(recipe: Recipe, steps_per_epoch: int) -> Any:
    """Return a recipe's Keras optimiser, which also averages weights if the recipe says so.

    Args:
        recipe: Names the optimiser and its hyperparameters.
        steps_per_epoch: Steps in an epoch, the unit of `average_epochs`.
    """
    import keras

    averaged_steps = recipe.average_epochs * steps_per_epoch
    averaging = {"use_ema": True, "ema_momentum": averaged_steps / (averaged_steps + 1)}
    options = averaging if averaged_steps else {}
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(recipe.learning_rate, **options)
    options["weight_decay"] = recipe.weight_decay
    optimizer = (
        _muon(recipe, options)
        if recipe.optimizer == "muon"
        else keras.optimizers.AdamW(recipe.learning_rate, **options)
    )
    # biases and the shift and scale of normalisation layers get no weight decay
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    return optimizer


def _muon(recipe: Recipe, options: dict[str, Any]) -> Any:
    """Return Muon for the kernels of convolutions, each as a matrix, and AdamW for the rest.

    Keras' Muon handles matrices only; its author's implementation flattens kernels, as here (Jordan
    et al., Muon: An optimizer for hidden layers in neural networks, 2024). Updates are scaled like
    those of AdamW (Liu et al., Muon is Scalable for LLM Training, 2025), so that one learning rate
    fits both.
    """
    import keras

    class ConvolutionMuon(keras.optimizers.Muon):  # type: ignore[misc]  # Keras has no types
        def _should_use_adamw(self, variable: Any) -> bool:
            is_kernel_of_convolution = len(variable.shape) == 4
            return not is_kernel_of_convolution

        def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
            self.assign_add(m, gradient + m * (self.momentum - 1))
            ahead = gradient + self.momentum * m
            # (height, width, inputs, outputs) to (height * width * inputs, outputs)
            matrix = keras.ops.reshape(ahead, (-1, ahead.shape[-1]))
            step = self.zeropower_via_newtonschulz5(matrix, self.ns_steps)
            self.assign_sub(variable, keras.ops.reshape(self.lr_adjust(lr * step), variable.shape))

    return ConvolutionMuon(
        recipe.learning_rate,
        adam_weight_decay=recipe.weight_decay,
        adam_beta_2=0.99,  # averages over about 100 steps, because trainings are short
        **options,
    )
