//! Rows of the table: services of event tracing.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __etw_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__ex_services! {
            $callback $($before)*
            etw {
                /// Starts, stops or asks tracing sessions and providers.
                planned NtTraceControl = nt_trace_control(
                    function_code: TraceControlCode, input_buffer: OptionalInBytes, input_buffer_length: u32,
                    output_buffer: OptionalOutBytes, output_buffer_length: u32, return_length: Out<u32>,
                );

                /// Writes an event.
                planned NtTraceEvent = nt_trace_event(
                    trace: Handle, flags: u32, field_size: u32, fields: InBytes<Before>,
                );
            }
        }
    };
}
