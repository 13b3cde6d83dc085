"""The risk service: sizes and checks what is to be traded, values what is held, holds the kill switch."""
