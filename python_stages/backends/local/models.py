"""/v1/models: list, retrieve, delete."""

from fastapi import APIRouter

from python_stages.backends.local.answers import (
    Deleted,
    Model,
    ModelList,
    shown_base,
    shown_model,
)
from python_stages.backends.local.api_errors import ApiError, no_such_model
from python_stages.backends.local.deletion import delete_model
from python_stages.backends.local.rows import ModelRow
from python_stages.backends.local.service import Serviced

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("")
def list_models(service: Serviced) -> ModelList:
    """List the sizes that can be tuned, and the models that were."""
    bases = [shown_base(name) for name in service.trainer.base_models()]
    return ModelList(data=[*bases, *map(shown_model, service.store.select(ModelRow))])


@router.get("/{model_id}")
def retrieve_model(model_id: str, service: Serviced) -> Model:
    """Return what is known of a model."""
    if model_id in service.trainer.base_models():
        return shown_base(model_id)
    row = service.store.get(ModelRow, model_id)
    if row is None:
        raise no_such_model()
    return shown_model(row)


@router.delete("/{model_id}")
def remove_model(model_id: str, service: Serviced) -> Deleted:
    """Delete a tuned model with its weights; with it go the checkpoints of its job."""
    if model_id in service.trainer.base_models():
        message = "A base model is part of the program and cannot be deleted."
        raise ApiError(403, message, param="model", code="model_not_deletable")
    row = service.store.get(ModelRow, model_id)
    if row is None:
        raise no_such_model()
    for gone in delete_model(service.store, service.blobs, row):
        service.decoder.forget(gone)
    return Deleted(id=model_id, object="model")
