// SPDX-License-Identifier: MIT
// IORingGroup.cs - the original's interface over libioring-c.so, by P/Invoke.
//
// One file, C# 7 and IntPtr, so that old compilers take it: Mono's mcs, .NET Framework, .NET. Where
// the original has spans this has arrays. Results and error numbers are the host's, negative.
//
// Threads: a ring belongs to the thread of its first submit or wait; only Wake() and Post() may be
// called from others. Memory that an operation points at must stay until its completion was read:
// native memory, an IORingBuffer, or a pinned array. A full queue is an InvalidOperationException of
// that one call: nothing that was prepared before is lost.
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace IORing
{
    // What became of an operation.
    [StructLayout(LayoutKind.Sequential)]
    public struct Completion
    {
        public ulong UserData;
        public int Result; // Bytes, a descriptor, a mask or a count; an error is negative.
        public uint Flags;

        // More completions of the same operation will follow.
        public bool HasMore { get { return (Flags & 2) != 0; } }
    }

    [Flags]
    public enum MsgFlags : uint
    {
        None = 0,
        Peek = 0x02,
        Trunc = 0x20,
        DontWait = 0x40,
        WaitAll = 0x100,
        NoSignal = 0x4000,
        More = 0x8000
    }

    [Flags]
    public enum PollMask : uint
    {
        None = 0,
        In = 0x001,
        Pri = 0x002,
        Out = 0x004,
        Err = 0x008,
        Hup = 0x010,
        RdHup = 0x2000
    }

    public enum ShutdownHow { Read = 0, Write = 1, Both = 2 }

    public interface IIORingGroup : IDisposable
    {
        int SubmissionQueueSpace { get; }
        int CompletionQueueCount { get; }

        void PrepareAccept(IntPtr listenFd, IntPtr addr, IntPtr addrLen, ulong userData);
        void PrepareConnect(IntPtr fd, IntPtr addr, int addrLen, ulong userData);
        void PrepareRecv(IntPtr fd, IntPtr buf, int len, MsgFlags flags, ulong userData);
        void PrepareSend(IntPtr fd, IntPtr buf, int len, MsgFlags flags, ulong userData);
        void PrepareShutdown(IntPtr fd, ShutdownHow how, ulong userData);
        void PrepareClose(IntPtr fd, ulong userData);
        void PrepareCancel(ulong targetUserData, ulong userData);
        void PreparePollAdd(IntPtr fd, PollMask mask, ulong userData);
        void PreparePollRemove(ulong targetUserData, ulong userData);

        int Submit();
        int SubmitAndWait(int waitNr);
        int PeekCompletions(Completion[] completions);
        int WaitCompletions(Completion[] completions, int minComplete, int timeoutMs);
        void AdvanceCompletionQueue(int count);

        long RegisterSocket(IntPtr fd);
        void UnregisterSocket(long connId);
        int RegisterBuffer(IORingBuffer buffer);
        void UnregisterBuffer(int bufferId);
        void PrepareSendBuffer(long connId, int bufferId, int offset, int length, ulong userData);
        void PrepareRecvBuffer(long connId, int bufferId, int offset, int length, ulong userData);

        IntPtr CreateListener(string bindAddress, ushort port, int backlog);
        void CloseListener(IntPtr listener);
        IntPtr CreateSocket();
        void CloseSocket(IntPtr fd);
    }

    // A circular buffer mapped twice in a row: what is unread and what is free are each one range.
    public sealed class IORingBuffer : IDisposable
    {
        internal IntPtr Handle;

        private IORingBuffer(IntPtr handle) { Handle = handle; }

        // `size`: a multiple of Granularity.
        public static IORingBuffer Create(int size)
        {
            IntPtr handle;
            Native.Check(Native.ioring_buffer_create((UIntPtr)(uint)size, out handle),
                         "a ring buffer");
            return new IORingBuffer(handle);
        }
        public static int Granularity
        {
            get { return (int)Native.ioring_buffer_granularity(); }
        }

        public int PhysicalSize { get { return (int)Native.ioring_buffer_capacity(Handle); } }
        public int VirtualSize { get { return 2 * PhysicalSize; } }
        // -1 until it is registered.
        public int BufferId
        {
            get { return unchecked((int)Native.ioring_buffer_registered_id(Handle)); }
        }
        public int ReadableBytes
        {
            get { uint bytes; Native.ioring_buffer_readable(Handle, out bytes); return (int)bytes; }
        }
        public int WritableBytes
        {
            get { uint bytes; Native.ioring_buffer_writable(Handle, out bytes); return (int)bytes; }
        }

        // Where all unread bytes are, and where that is for PrepareSendBuffer.
        public IntPtr GetReadSpan(out int length, out int offset)
        {
            uint bytes;
            IntPtr at = Native.ioring_buffer_readable(Handle, out bytes);
            length = (int)bytes;
            offset = (int)Native.ioring_buffer_read_offset(Handle);
            return at;
        }
        // Where all free bytes are, and where that is for PrepareRecvBuffer.
        public IntPtr GetWriteSpan(out int length, out int offset)
        {
            uint bytes;
            IntPtr at = Native.ioring_buffer_writable(Handle, out bytes);
            length = (int)bytes;
            offset = (int)Native.ioring_buffer_write_offset(Handle);
            return at;
        }
        // More than is there is an ArgumentOutOfRangeException, and nothing has changed.
        public void CommitRead(int count)
        {
            if (count < 0 || Native.ioring_buffer_commit_read(Handle, (ulong)count) != 0)
                throw new ArgumentOutOfRangeException("count");
        }
        public void CommitWrite(int count)
        {
            if (count < 0 || Native.ioring_buffer_commit_write(Handle, (ulong)count) != 0)
                throw new ArgumentOutOfRangeException("count");
        }

        // Unregister it first. One that is lent to a receive stays.
        public void Dispose()
        {
            if (Handle == IntPtr.Zero) return;
            if (Native.ioring_buffer_destroy(Handle) == 0) Handle = IntPtr.Zero;
        }
    }

    public sealed class IORingGroup : IIORingGroup
    {
        private IntPtr ring;
        private readonly System.Collections.Generic.Dictionary<IntPtr, IntPtr> listeners =
            new System.Collections.Generic.Dictionary<IntPtr, IntPtr>(); // Handles by descriptor.

        private IORingGroup(IntPtr handle) { ring = handle; }

        // `backend`: null for the best that works here.
        public static IORingGroup Create(int queueSize, string backend = null)
        {
            var options = new Native.Options();
            options.Size = (uint)Marshal.SizeOf(typeof(Native.Options));
            options.SqEntries = (uint)queueSize;
            options.Backend = backend == null ? IntPtr.Zero : Marshal.StringToHGlobalAnsi(backend);
            var why = new StringBuilder(512);
            IntPtr handle = IntPtr.Zero;
            int error = Native.ioring_create_why(ref options, out handle, why,
                                                 (UIntPtr)(uint)why.Capacity);
            Marshal.FreeHGlobal(options.Backend);
            Native.Check(error, why.ToString());
            return new IORingGroup(handle);
        }

        public string BackendName
        {
            get { return Marshal.PtrToStringAnsi(Native.ioring_backend_name(ring)); }
        }
        public string BackendReason
        {
            get { return Marshal.PtrToStringAnsi(Native.ioring_backend_reason(ring)); }
        }
        public int SubmissionQueueSpace { get { return (int)Native.ioring_sq_space_left(ring); } }
        public int CompletionQueueCount { get { return (int)Native.ioring_cq_ready(ring); } }

        public void Dispose()
        {
            foreach (IntPtr listener in listeners.Values) Native.ioring_listener_close(listener);
            listeners.Clear();
            Native.ioring_destroy(ring);
            ring = IntPtr.Zero;
        }

        private IntPtr Entry()
        {
            return NotFull(Native.ioring_get_sqe(ring));
        }
        private static IntPtr NotFull(IntPtr entry)
        {
            if (entry == IntPtr.Zero)
                throw new InvalidOperationException("the submission queue is full: submit");
            return entry;
        }

        public void PrepareAccept(IntPtr listenFd, IntPtr addr, IntPtr addrLen, ulong userData)
        {
            IntPtr entry = Entry();
            const uint closeOnExec = 0x80000;
            Native.ioring_prep_accept(entry, (int)listenFd, addr, addrLen, closeOnExec);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        public void PrepareConnect(IntPtr fd, IntPtr addr, int addrLen, ulong userData)
        {
            IntPtr entry = Entry();
            Native.ioring_prep_connect(entry, (int)fd, addr, (uint)addrLen);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        public void PrepareRecv(IntPtr fd, IntPtr buf, int len, MsgFlags flags, ulong userData)
        {
            if (len < 0) throw new ArgumentOutOfRangeException("len");
            IntPtr entry = Entry();
            Native.ioring_prep_recv(entry, (int)fd, buf, (UIntPtr)(uint)len, (uint)flags);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        public void PrepareSend(IntPtr fd, IntPtr buf, int len, MsgFlags flags, ulong userData)
        {
            if (len < 0) throw new ArgumentOutOfRangeException("len");
            IntPtr entry = Entry();
            flags |= MsgFlags.NoSignal;
            Native.ioring_prep_send(entry, (int)fd, buf, (UIntPtr)(uint)len, (uint)flags);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        public void PrepareShutdown(IntPtr fd, ShutdownHow how, ulong userData)
        {
            IntPtr entry = Entry();
            Native.ioring_prep_shutdown(entry, (int)fd, (int)how);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        // Cancels what is in flight on it, then closes it.
        public void PrepareClose(IntPtr fd, ulong userData)
        {
            NotFull(Native.ioring_prepare_close(ring, (int)fd, userData));
        }
        public void PrepareCancel(ulong targetUserData, ulong userData)
        {
            IntPtr entry = Entry();
            Native.ioring_prep_cancel64(entry, targetUserData, 0);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        public void PreparePollAdd(IntPtr fd, PollMask mask, ulong userData)
        {
            IntPtr entry = Entry();
            Native.ioring_prep_poll_add(entry, (int)fd, (uint)mask);
            Native.ioring_sqe_set_data64(entry, userData);
        }
        public void PreparePollRemove(ulong targetUserData, ulong userData)
        {
            IntPtr entry = Entry();
            Native.ioring_prep_poll_remove(entry, targetUserData);
            Native.ioring_sqe_set_data64(entry, userData);
        }

        public int Submit() { return Native.ioring_submit(ring); }
        public int SubmitAndWait(int waitNr)
        {
            return Native.ioring_submit_and_wait(ring, (uint)Math.Max(0, waitNr));
        }
        // Copies without consuming: AdvanceCompletionQueue() does.
        public int PeekCompletions(Completion[] completions)
        {
            return (int)Native.ioring_peek_batch_cqe(ring, completions,
                                                     (UIntPtr)(uint)completions.Length);
        }
        // `timeoutMs` below 0: without a bound.
        public int WaitCompletions(Completion[] completions, int minComplete, int timeoutMs)
        {
            long timeout = timeoutMs < 0 ? -1 : timeoutMs * 1000000L;
            int taken = Native.ioring_submit_and_wait_timeout(ring, (uint)Math.Max(0, minComplete),
                                                              timeout);
            return taken < 0 ? taken : PeekCompletions(completions);
        }
        public void AdvanceCompletionQueue(int count)
        {
            if (count > 0) Native.ioring_cq_advance(ring, (UIntPtr)(uint)count);
        }
        public void Wake() { Native.ioring_wake(ring); }
        public bool Post(ulong userData, int result)
        {
            return Native.ioring_post(ring, userData, result) == 0;
        }

        public long RegisterSocket(IntPtr fd)
        {
            ulong id;
            Native.Check(Native.ioring_register_socket(ring, (int)fd, out id), "a socket's id");
            return unchecked((long)id);
        }
        public void UnregisterSocket(long connId)
        {
            Native.Check(Native.ioring_unregister_socket(ring, unchecked((ulong)connId)),
                         "unregistering a socket");
        }
        public int RegisterBuffer(IORingBuffer buffer)
        {
            uint id;
            Native.Check(Native.ioring_register_ring_buffer(ring, buffer.Handle, out id),
                         "a buffer's id");
            return unchecked((int)id);
        }
        public void UnregisterBuffer(int bufferId)
        {
            Native.Check(Native.ioring_unregister_buffer(ring, unchecked((uint)bufferId)),
                         "unregistering a buffer");
        }
        // A bad id or range is the error of the completion.
        public void PrepareSendBuffer(long connId, int bufferId, int offset, int length,
                                      ulong userData)
        {
            NotFull(Native.ioring_prepare_send_buffer(ring, unchecked((ulong)connId),
                                                      unchecked((uint)bufferId),
                                                      unchecked((ulong)offset),
                                                      unchecked((uint)length), userData));
        }
        public void PrepareRecvBuffer(long connId, int bufferId, int offset, int length,
                                      ulong userData)
        {
            NotFull(Native.ioring_prepare_recv_buffer(ring, unchecked((ulong)connId),
                                                      unchecked((uint)bufferId),
                                                      unchecked((ulong)offset),
                                                      unchecked((uint)length), userData));
        }

        // The descriptor of a listener on a numeric address; port 0 for a free one.
        public IntPtr CreateListener(string bindAddress, ushort port, int backlog)
        {
            var options = new Native.ListenOptions();
            options.Size = (uint)Marshal.SizeOf(typeof(Native.ListenOptions));
            options.Backlog = (uint)Math.Max(1, backlog);
            string host = bindAddress.Contains(":") ? "[" + bindAddress + "]" : bindAddress;
            IntPtr listener;
            Native.Check(Native.ioring_listen(ring, host + ":" + port, ref options, out listener),
                         "cannot listen on " + host + ":" + port);
            var fd = (IntPtr)Native.ioring_listener_fd(listener);
            listeners.Add(fd, listener);
            return fd;
        }
        // "127.0.0.1:5000", with the port that was chosen.
        public string ListenerAddress(IntPtr listenFd)
        {
            Native.Endpoint where;
            Native.Check(Native.ioring_listener_endpoint(listeners[listenFd], out where),
                         "a listener's address");
            var text = new StringBuilder(256);
            Native.ioring_endpoint_format(ref where, text, (UIntPtr)(uint)text.Capacity);
            return text.ToString();
        }
        public void CloseListener(IntPtr listenFd)
        {
            Native.ioring_listener_close(listeners[listenFd]);
            listeners.Remove(listenFd);
        }
        // A stream socket for PrepareConnect.
        public IntPtr CreateSocket()
        {
            int fd;
            const int ipv4 = 1;
            Native.Check(Native.ioring_open_socket(ring, ipv4, out fd), "a socket");
            return (IntPtr)fd;
        }
        public void CloseSocket(IntPtr fd)
        {
            Native.Check(Native.ioring_close_now(ring, (int)fd), "closing a socket");
        }
    }

    // An address for PrepareConnect, in native memory until it is disposed of.
    public sealed class SocketAddress : IDisposable
    {
        public IntPtr Pointer { get; private set; }
        public int Length { get; private set; }

        // "127.0.0.1:5000", "[::1]:5000", "unix:/path"
        public SocketAddress(string text)
        {
            Native.Endpoint parsed;
            Native.Check(Native.ioring_endpoint_parse(text, out parsed), text + " is no address");
            Length = (int)parsed.Bytes;
            Pointer = Marshal.AllocHGlobal(parsed.Storage.Length * sizeof(long));
            Marshal.Copy(parsed.Storage, 0, Pointer, parsed.Storage.Length);
        }
        public void Dispose()
        {
            Marshal.FreeHGlobal(Pointer);
            Pointer = IntPtr.Zero;
        }
    }

    internal static class Native
    {
        private const string Library = "ioring-c";

        [StructLayout(LayoutKind.Sequential)]
        internal struct Options
        {
            internal uint Size, SqEntries, CqEntries, ConnectionsMax, PostsMax, Reserved;
            internal ulong SpinNs, DrainTimeoutNs;
            internal IntPtr Backend, BackendPrefer, BackendForbid;
        }
        [StructLayout(LayoutKind.Sequential)]
        internal struct ListenOptions
        {
            internal uint Size, Backlog;
            internal byte DualStack, ReusePort;
            private readonly byte r0, r1, r2, r3, r4, r5;
        }
        [StructLayout(LayoutKind.Sequential)]
        internal struct Endpoint
        {
            internal uint Bytes, Reserved;
            [MarshalAs(UnmanagedType.ByValArray, SizeConst = 16)] internal long[] Storage;
        }

        internal static int Check(int result, string what)
        {
            if (result < 0)
                throw new Win32Exception(-result, what.Length > 0 ? what : "error " + -result);
            return result;
        }

        [DllImport(Library)] internal static extern int ioring_create_why(
            ref Options options, out IntPtr ring, StringBuilder why, UIntPtr bytes);
        [DllImport(Library)] internal static extern void ioring_destroy(IntPtr ring);
        [DllImport(Library)] internal static extern IntPtr ioring_backend_name(IntPtr ring);
        [DllImport(Library)] internal static extern IntPtr ioring_backend_reason(IntPtr ring);
        [DllImport(Library)] internal static extern uint ioring_sq_space_left(IntPtr ring);
        [DllImport(Library)] internal static extern UIntPtr ioring_cq_ready(IntPtr ring);
        [DllImport(Library)] internal static extern IntPtr ioring_get_sqe(IntPtr ring);
        [DllImport(Library)] internal static extern int ioring_submit(IntPtr ring);
        [DllImport(Library)] internal static extern int ioring_submit_and_wait(IntPtr ring,
                                                                               uint count);
        [DllImport(Library)] internal static extern int ioring_submit_and_wait_timeout(
            IntPtr ring, uint count, long timeoutNs);
        [DllImport(Library)] internal static extern UIntPtr ioring_peek_batch_cqe(
            IntPtr ring, [Out] Completion[] completions, UIntPtr count);
        [DllImport(Library)] internal static extern void ioring_cq_advance(IntPtr ring,
                                                                           UIntPtr count);
        [DllImport(Library)] internal static extern void ioring_wake(IntPtr ring);
        [DllImport(Library)] internal static extern int ioring_post(IntPtr ring, ulong userData,
                                                                    int result);
        [DllImport(Library)] internal static extern IntPtr ioring_prepare_close(IntPtr ring, int fd,
                                                                                ulong userData);
        [DllImport(Library)] internal static extern int ioring_endpoint_parse(string text,
                                                                              out Endpoint result);
        [DllImport(Library)] internal static extern UIntPtr ioring_endpoint_format(
            ref Endpoint address, StringBuilder text, UIntPtr bytes);
        [DllImport(Library)] internal static extern int ioring_listen(
            IntPtr ring, string address, ref ListenOptions options, out IntPtr listener);
        [DllImport(Library)] internal static extern void ioring_listener_close(IntPtr listener);
        [DllImport(Library)] internal static extern int ioring_listener_fd(IntPtr listener);
        [DllImport(Library)] internal static extern int ioring_listener_endpoint(
            IntPtr listener, out Endpoint result);
        [DllImport(Library)] internal static extern int ioring_open_socket(IntPtr ring, int family,
                                                                           out int fd);
        [DllImport(Library)] internal static extern int ioring_close_now(IntPtr ring, int fd);
        [DllImport(Library)] internal static extern int ioring_register_socket(IntPtr ring, int fd,
                                                                               out ulong id);
        [DllImport(Library)] internal static extern int ioring_unregister_socket(IntPtr ring,
                                                                                 ulong id);
        [DllImport(Library)] internal static extern int ioring_register_ring_buffer(
            IntPtr ring, IntPtr buffer, out uint id);
        [DllImport(Library)] internal static extern int ioring_unregister_buffer(IntPtr ring,
                                                                                 uint id);
        [DllImport(Library)] internal static extern IntPtr ioring_prepare_recv_buffer(
            IntPtr ring, ulong connection, uint buffer, ulong offset, uint bytes, ulong userData);
        [DllImport(Library)] internal static extern IntPtr ioring_prepare_send_buffer(
            IntPtr ring, ulong connection, uint buffer, ulong offset, uint bytes, ulong userData);
        [DllImport(Library)] internal static extern UIntPtr ioring_buffer_granularity();
        [DllImport(Library)] internal static extern int ioring_buffer_create(UIntPtr bytes,
                                                                             out IntPtr buffer);
        [DllImport(Library)] internal static extern int ioring_buffer_destroy(IntPtr buffer);
        [DllImport(Library)] internal static extern uint ioring_buffer_capacity(IntPtr buffer);
        [DllImport(Library)] internal static extern IntPtr ioring_buffer_readable(IntPtr buffer,
                                                                                  out uint bytes);
        [DllImport(Library)] internal static extern IntPtr ioring_buffer_writable(IntPtr buffer,
                                                                                  out uint bytes);
        [DllImport(Library)] internal static extern int ioring_buffer_commit_read(IntPtr buffer,
                                                                                  ulong bytes);
        [DllImport(Library)] internal static extern int ioring_buffer_commit_write(IntPtr buffer,
                                                                                   ulong bytes);
        [DllImport(Library)] internal static extern uint ioring_buffer_registered_id(IntPtr buffer);
        [DllImport(Library)] internal static extern uint ioring_buffer_read_offset(IntPtr buffer);
        [DllImport(Library)] internal static extern uint ioring_buffer_write_offset(IntPtr buffer);
        [DllImport(Library)] internal static extern void ioring_sqe_set_data64(IntPtr sqe,
                                                                               ulong data);
        [DllImport(Library)] internal static extern void ioring_prep_accept(
            IntPtr sqe, int fd, IntPtr address, IntPtr addressBytes, uint flags);
        [DllImport(Library)] internal static extern void ioring_prep_connect(
            IntPtr sqe, int fd, IntPtr address, uint bytes);
        [DllImport(Library)] internal static extern void ioring_prep_recv(
            IntPtr sqe, int fd, IntPtr buffer, UIntPtr bytes, uint flags);
        [DllImport(Library)] internal static extern void ioring_prep_send(
            IntPtr sqe, int fd, IntPtr bytes, UIntPtr count, uint flags);
        [DllImport(Library)] internal static extern void ioring_prep_shutdown(IntPtr sqe, int fd,
                                                                              int how);
        [DllImport(Library)] internal static extern void ioring_prep_cancel64(
            IntPtr sqe, ulong target, uint flags);
        [DllImport(Library)] internal static extern void ioring_prep_poll_add(IntPtr sqe, int fd,
                                                                              uint events);
        [DllImport(Library)] internal static extern void ioring_prep_poll_remove(IntPtr sqe,
                                                                                 ulong target);
    }
}
